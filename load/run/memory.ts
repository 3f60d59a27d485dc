/** Whether memory grew: the end of a run against its fifth minute. */
import type { Look } from "./watch.ts";

/** What a service needs to get warm is over then. */
const FROM_S = 300;
const WINDOW_S = 60;
/** A shorter run says nothing about growth. */
const MIN_S = 600;

export interface Growth {
  /** Medians of a minute each, bytes. */
  readonly minute_5: number;
  readonly end: number;
  readonly share: number;
}

/** null when the run was shorter than ten minutes, or memory is not known. */
export function growthOf(looks: readonly Look[]): Growth | null {
  const last_s = looks.at(-1)?.at_s ?? 0;
  if (last_s < MIN_S - WINDOW_S) return null;
  const minute_5 = medianOf(looks, FROM_S, FROM_S + WINDOW_S);
  const end = medianOf(looks, last_s - WINDOW_S, last_s);
  return minute_5 === null || end === null ? null : { minute_5, end, share: end / minute_5 };
}

function medianOf(looks: readonly Look[], from_s: number, to_s: number): number | null {
  const known = looks
    .filter(({ at_s }) => at_s >= from_s && at_s <= to_s)
    .flatMap(({ rss_bytes }) => rss_bytes ?? [])
    .sort((a, b) => a - b);
  return known[Math.floor(known.length / 2)] ?? null;
}
