/** Labels of a time axis: 24 hours, dates as everywhere in the console. */
import type uPlot from "uplot";

const MINUTE_S = 60;
const HOUR_S = 3_600;
const DAY_S = 86_400;
const DATE = "\n{YYYY}-{MM}-{DD}";
const SHORT_DATE = "\n{MM}-{DD}";
const CLOCK = "{HH}:{mm}";

/**
 * uPlot's table: the smallest step a row is for, the label, and what is added when the year, month, day, hour, minute
 * or second differs from that of the label before.
 */
export function timeLabels(): uPlot.Axis.Values {
  const withClock = [
    `${SHORT_DATE} ${CLOCK}`,
    null,
    `${SHORT_DATE} ${CLOCK}`,
    null,
    `\n${CLOCK}`,
    null,
    1,
  ] as const;
  const rows = [
    [DAY_S * 365, "{YYYY}", null, null, null, null, null, null, 1],
    [DAY_S * 28, "{YYYY}-{MM}", null, null, null, null, null, null, 1],
    [DAY_S, "{MM}-{DD}", "\n{YYYY}", null, null, null, null, null, 1],
    [HOUR_S, CLOCK, DATE, null, SHORT_DATE, null, null, null, 1],
    [MINUTE_S, CLOCK, DATE, null, SHORT_DATE, null, null, null, 1],
    [1, ":{ss}", ...withClock],
    [0.001, ":{ss}.{fff}", ...withClock],
  ];
  return rows as unknown as uPlot.Axis.Values;
}
