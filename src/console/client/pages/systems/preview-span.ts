/** The stretch of time that the preview of a range looks at. */

const DAY_MS = 86_400_000;
/** The service looks at every reading of the stretch, so it takes no longer one. */
const MAX_DAYS = 31;

export const SPANS = [
  ["1", "the last day of readings"],
  ["7", "the last 7 days of readings"],
  ["31", "the last 31 days of readings"],
  ["chart", "what the chart shows (at most 31 days)"],
] as const;
export type Span = (typeof SPANS)[number][0];

interface Stretch {
  /** RFC 3339. */
  readonly from: string;
  readonly to: string;
}

/** What the chart was moved or zoomed to; null: it shows what it shows at first. */
export function chartStretch(query: URLSearchParams): Stretch | null {
  const [from, to] = [query.get("from"), query.get("to")];
  return from && to && Date.parse(from) < Date.parse(to) ? { from, to } : null;
}

/**
 * Ends with the sensor's last reading, however long ago: the days before today say nothing about a sensor that was
 * silent in them.
 * @param last_at RFC 3339; null: it has none, and the stretch ends now
 */
export function stretchOf(
  span: Span,
  last_at: string | null,
  query: URLSearchParams,
  now_ms = Date.now(),
): Stretch {
  if (span === "chart") {
    const shown = chartStretch(query);
    if (shown) return endingAt(Date.parse(shown.to), Date.parse(shown.to) - Date.parse(shown.from));
  }
  const days = span === "chart" ? 7 : Number(span);
  // The end itself is not looked at, and the last reading must be.
  return endingAt(last_at ? Math.floor(Date.parse(last_at) / 1000) * 1000 + 1000 : now_ms, days * DAY_MS);
}

const endingAt = (to_ms: number, width_ms: number): Stretch => ({
  from: new Date(to_ms - Math.min(width_ms, MAX_DAYS * DAY_MS)).toISOString(),
  to: new Date(to_ms).toISOString(),
});
