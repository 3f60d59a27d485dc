/** What a decision was about and what it corrects, in words for people; the record keeps both as JSON. */
import { isFields } from "./fields.ts";
import { countOf, duration, number, shortId, words } from "./format.ts";

type Fact = readonly [name: string, value: string];

/** `3 readings`, `an incident`, or the filters that they match. */
export function selectionText(selection: unknown): string {
  if (!isFields(selection)) return "unknown";
  if (Array.isArray(selection.ids)) return countOf(selection.ids.length, "reading");
  if (!isFields(selection.filter)) return "an incident";
  const filters = Object.entries(selection.filter).map(
    ([name, value]) => `${words(name).replace(/ id$/, "")} ${filterText(name, value)}`,
  );
  return `all that match: ${filters.join("; ")}`;
}

function filterText(name: string, value: unknown): string {
  if (Array.isArray(value)) return value.map((one) => words(String(one))).join(" or ");
  return name === "incident" || name.endsWith("_id") ? shortId(String(value)) : String(value);
}

/** Named as in the dialog that asks for them. */
const SET: Readonly<Record<string, string>> = {
  unit: "Unit relabelled as",
  value: "Value set to",
  quality: "Quality set to",
  timestamp: "Time set to",
  sensor_id: "Sensor set to",
};

/** What is corrected, in the order in which it is done; none for actions that correct nothing. */
export function correctionFacts(change: unknown): readonly Fact[] {
  if (!isFields(change)) return [];
  const set = isFields(change.set) ? Object.entries(change.set) : [];
  const { scale, offset, shift_ms } = change;
  return [
    ...set.map(([name, value]): Fact => [SET[name] ?? words(name), String(value)]),
    ...(typeof scale === "number" ? [["Value multiplied by", number(scale)] as const] : []),
    ...(typeof offset === "number" ? [["Then added", number(offset)] as const] : []),
    ...(typeof shift_ms === "number" ? [["Clock shifted by", shiftText(shift_ms)] as const] : []),
  ];
}

const shiftText = (ms: number) => `${ms < 0 ? "−" : "+"}${duration(Math.abs(ms))}`;
