/** Hours of a recording as a strip: full, in part, none. */
import type { HourCompleteness } from "../../../../contract/completeness.ts";
import { count, percent, timeText } from "../../lib/format.ts";
import { zone } from "../../lib/preferences.ts";
import { useShared } from "../../lib/shared.ts";

/** A reading or two may be on its way; an hour with that share counts as complete. */
const FULL = 0.99;

function look({ expected, completeness, received }: HourCompleteness): "none" | "full" | "part" | "gap" {
  if (expected === null || expected === 0) return received > 0 ? "full" : "none";
  if (received === 0) return "gap";
  return (completeness ?? 0) >= FULL ? "full" : "part";
}

export function CompletenessStrip({ hours, name }: { hours: readonly HourCompleteness[]; name: string }) {
  const shown = useShared(zone);
  const full = hours.filter((hour) => look(hour) === "full").length;
  return (
    <svg
      class="strip"
      viewBox={`0 0 ${Math.max(1, hours.length)} 10`}
      preserveAspectRatio="none"
      role="img"
      aria-label={`${name}: ${full} of ${hours.length} hours complete`}
    >
      {hours.map((hour, index) => (
        <rect key={hour.hour} class={`strip-${look(hour)}`} x={index} y={0} width={0.9} height={10}>
          <title>
            {timeText(hour.hour, shown, { seconds: false })}: {count(hour.received)} of {count(hour.expected)}{" "}
            ({percent(hour.completeness)})
          </title>
        </rect>
      ))}
    </svg>
  );
}

const LEGEND = [
  ["full", "complete"],
  ["part", "in part"],
  ["gap", "missing"],
  ["none", "nothing expected"],
] as const;

export const CompletenessLegend = () => (
  <p class="legend">
    {LEGEND.map(([kind, text]) => (
      <span key={kind}>
        <svg width="10" height="10" aria-hidden="true">
          <rect class={`strip-${kind}`} width="10" height="10" rx="2" />
        </svg>
        {text}
      </span>
    ))}
  </p>
);
