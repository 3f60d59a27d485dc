/** Figures as people read them. */

const UNITS = ["B", "kB", "MB", "GB", "TB"] as const;

/** Powers of 1000, three digits: 1.53 GB. */
export function bytes(count: number): string {
  const power = count < 1 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log10(count) / 3));
  const scaled = count / 1000 ** power;
  const digits = power === 0 || scaled >= 100 ? 0 : scaled >= 10 ? 1 : 2;
  return `${scaled.toFixed(digits)} ${UNITS[power]}`;
}

export function whole(count: number): string {
  return Math.round(count).toLocaleString("en-US");
}

export function percent(share: number, digits = 1): string {
  return `${(share * 100).toFixed(digits)} %`;
}

/** A length of time: 350 ms, 42 s, 17 min, 5 h, 12 days. */
export function duration(ms: number): string {
  const steps: readonly [limit_ms: number, unit_ms: number, unit: string][] = [
    [1_000, 1, "ms"],
    [120_000, 1_000, "s"],
    [7_200_000, 60_000, "min"],
    [172_800_000, 3_600_000, "h"],
  ];
  const [, unit_ms, unit] = steps.find(([limit_ms]) => Math.abs(ms) < limit_ms) ?? [0, 86_400_000, "days"];
  return `${Number((ms / unit_ms).toFixed(unit === "s" ? 1 : 0))} ${unit}`;
}

export function plural(count: number, noun: string): string {
  return `${whole(count)} ${noun}${count === 1 ? "" : "s"}`;
}
