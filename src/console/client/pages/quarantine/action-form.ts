/** The fields of the action dialog as typed, and the request that they mean. */
import type { Correction } from "../../../../contract/correction.ts";
import type { NewReview, ReviewAction, Selection } from "../../../../contract/review.ts";
import { FormError } from "../../lib/form-error.ts";
import { plainNumber } from "../../lib/typed-number.ts";

export interface FormFields {
  readonly action: ReviewAction;
  readonly value: string;
  readonly unit: string;
  readonly timestamp: string;
  readonly quality: string;
  readonly sensor_id: string;
  readonly scale: string;
  readonly offset: string;
  readonly shift_s: string;
  readonly conflict: "" | "keep" | "replace";
  readonly note: string;
}

export const emptyForm = (action: ReviewAction): FormFields => ({
  action,
  value: "",
  unit: "",
  timestamp: "",
  quality: "",
  sensor_id: "",
  scale: "",
  offset: "",
  shift_s: "",
  conflict: "",
  note: "",
});

/** What may be said with an action: only those that store can meet a stored value. */
export const stores = (action: ReviewAction) =>
  action === "approve" || action === "fix" || action === "revalidate";

/** Undefined for an empty field. @throws {FormError} */
function numberOf(text: string, name: string): number | undefined {
  if (text.trim() === "") return undefined;
  const value = Number(plainNumber(text, name));
  if (!Number.isFinite(value)) throw new FormError(`${name} is not a number.`);
  return value;
}

const without = <T extends Record<string, unknown>>(fields: T) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== ""));

/** @throws {FormError} for people: what is wrong with a field */
function changeOf(form: FormFields): Correction {
  const set = without({
    value: numberOf(form.value, "Value"),
    unit: form.unit.trim(),
    timestamp: form.timestamp.trim(),
    quality: numberOf(form.quality, "Quality"),
    sensor_id: form.sensor_id.trim(),
  });
  const shift_s = numberOf(form.shift_s, "The shift of the clock");
  const change = without({
    set: Object.keys(set).length > 0 ? set : undefined,
    scale: numberOf(form.scale, "The factor"),
    offset: numberOf(form.offset, "The offset"),
    shift_ms: shift_s === undefined ? undefined : Math.round(shift_s * 1000),
  });
  if (Object.keys(change).length === 0) throw new FormError("Say what is to be corrected.");
  return change as Correction;
}

/** One request for each selection. @throws {FormError} for people */
export function requestsOf(form: FormFields, targets: readonly Selection[]): readonly NewReview[] {
  const shared = {
    action: form.action,
    ...(form.action === "fix" ? { change: changeOf(form) } : {}),
    ...(stores(form.action) && form.conflict !== "" ? { conflict: form.conflict } : {}),
    ...(form.note.trim() ? { note: form.note.trim() } : {}),
  };
  return targets.map((selection) => ({ ...shared, selection }));
}
