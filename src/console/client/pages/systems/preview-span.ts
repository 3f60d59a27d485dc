/** The stretch of time that the preview of a range looks at. */
import type { RangePreview } from "../../../../contract/registry.ts";

const DAY_MS = 86_400_000;
/** The service looks at every reading of a stretch, so it takes no longer one; more is asked for piece by piece. */
const MAX_DAYS = 31;

export const SPANS = [
  ["1", "the last day of readings"],
  ["7", "the last 7 days of readings"],
  ["31", "the last 31 days of readings"],
  ["365", "the last 365 days of readings"],
  ["chart", "what the chart shows"],
] as const;
export type Span = (typeof SPANS)[number][0];

export interface Stretch {
  /** RFC 3339. */
  readonly from: string;
  readonly to: string;
}

/** What the chart was moved or zoomed to; null: it shows what it shows at first. */
export function chartStretch(query: URLSearchParams): Stretch | null {
  const [from, to] = [query.get("from"), query.get("to")];
  return from && to && Date.parse(from) < Date.parse(to) ? { from, to } : null;
}

/** When a sensor sent first and last, RFC 3339; null: it has no readings. */
export interface Sent {
  readonly first_reading_at: string | null;
  readonly last_reading_at: string | null;
}

/**
 * Ends with the sensor's last reading, however long ago: the days before today say nothing about a sensor that was
 * silent in them. Without readings it ends now.
 */
export function stretchOf(
  span: Span,
  { last_reading_at }: Sent,
  query: URLSearchParams,
  now_ms = Date.now(),
): Stretch {
  const shown = span === "chart" ? chartStretch(query) : null;
  if (shown) return shown;
  const days = span === "chart" ? 7 : Number(span);
  // The end itself is not looked at, and the last reading must be.
  const to_ms = last_reading_at ? Math.floor(Date.parse(last_reading_at) / 1000) * 1000 + 1000 : now_ms;
  return { from: iso(to_ms - days * DAY_MS), to: iso(to_ms) };
}

const iso = (ms: number) => new Date(ms).toISOString();

/** A stretch in pieces that the service takes, the newest first; none from before the first reading but the first. */
export function piecesOf({ from, to }: Stretch, { first_reading_at }: Sent): readonly Stretch[] {
  const first_ms = Math.max(Date.parse(from), first_reading_at ? Date.parse(first_reading_at) : 0);
  const pieces: Stretch[] = [];
  let end_ms = Date.parse(to);
  do {
    const begin_ms = Math.max(Date.parse(from), end_ms - MAX_DAYS * DAY_MS);
    pieces.push({ from: iso(begin_ms), to: iso(end_ms) });
    end_ms = begin_ms;
  } while (end_ms > first_ms);
  return pieces;
}

/** Two previews of one range as one; `earlier` ends where `later` begins. */
export function together(later: RangePreview, earlier: RangePreview): RangePreview {
  const bound = (pick: typeof Math.min, a: number | null, b: number | null) =>
    a === null || b === null ? (a ?? b) : pick(a, b);
  return {
    ...later,
    from: earlier.from,
    readings: later.readings + earlier.readings,
    refused: later.refused + earlier.refused,
    below: later.below + earlier.below,
    above: later.above + earlier.above,
    lowest: bound(Math.min, later.lowest, earlier.lowest),
    highest: bound(Math.max, later.highest, earlier.highest),
  };
}
