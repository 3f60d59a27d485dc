/** Text as it is, in a box that scrolls; the keyboard reaches it. */
export const Source = ({ label, children }: { label: string; children: string }) => (
  // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
  <section class="source" aria-label={label} tabIndex={0}>
    <pre>{children}</pre>
  </section>
);
