/** Small line drawings beside words, in the colour of the text; they say nothing that the word does not. */

const PATHS = {
  overview: "M2.5 2.5H7V7H2.5zM9 2.5h4.5V7H9zM2.5 9H7v4.5H2.5zM9 9h4.5v4.5H9z",
  jobs: "M2.5 4h11M2.5 8h11M2.5 12H9",
  quarantine: "M8 1.8 13 3.6v4c0 3.2-2.1 5.5-5 6.6-2.9-1.1-5-3.4-5-6.6v-4zM8 5.2v3.2M8 10.7v.2",
  systems: "M1.8 5h8v6h-8zM9.8 8h4.4M14.2 6v4M5.4 5v6",
  letters: "M2 3.8h12v8.4H2zM2.4 4.4 8 8.8l5.6-4.4",
  alerts: "M3.4 11.3c1-1 1.1-2.1 1.1-4.1a3.5 3.5 0 0 1 7 0c0 2 .1 3.1 1.1 4.1zM6.6 13.4a1.6 1.6 0 0 0 2.8 0",
  workers:
    "M4.5 4.5h7v7h-7zM6.5 2v2.5M9.5 2v2.5M6.5 11.5V14M9.5 11.5V14M2 6.5h2.5M2 9.5h2.5M11.5 6.5H14M11.5 9.5H14",
  webhooks: "M1.8 8h8.7M7 4.4 10.6 8 7 11.6M13.8 2.8v10.4",
  keys: "M7.6 8.4a3.4 3.4 0 1 1 2 2L8.6 11.4H7v1.5H5.4v1.3H2.2v-2.6zM11 5v.2",
  users: "M8 7.6a2.7 2.7 0 1 0 0-5.4 2.7 2.7 0 0 0 0 5.4zM2.8 13.8c.5-2.7 2.5-4.2 5.2-4.2s4.7 1.5 5.2 4.2",
  audit: "M2.4 2.6v3.2h3.2M2.6 5.8a5.8 5.8 0 1 1-.3 3.6M8 5v3.3l2.2 1.5",
} as const;

export type IconName = keyof typeof PATHS;

export const Icon = ({ name }: { name: IconName }) => (
  <svg class="icon" viewBox="0 0 16 16" aria-hidden="true">
    <path d={PATHS[name]} />
  </svg>
);

/** The same as the icon of the window (console/page.ts). */
export const BrandMark = () => (
  <svg class="brand-mark" viewBox="0 0 16 16" aria-hidden="true">
    <rect width="16" height="16" rx="3.5" />
    <path d="M2 9h3l1.5-5 3 9L11 9h3" />
  </svg>
);
