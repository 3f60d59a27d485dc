/** What a reviewer selected, with the key of its incident read. */
import { decodeIncidentKey, type IncidentKey } from "../contract/incident-key.ts";
import type { Selection } from "../contract/review.ts";
import type { Selected } from "../store/review/selection.ts";
import { IncidentKeyError } from "./review-errors.ts";

/** @throws {IncidentKeyError} */
export function toSelected(selection: Selection): Selected {
  if ("ids" in selection) return selection;
  if ("incident" in selection)
    return { filter: {}, incident: keyOf(selection.incident, "/selection/incident") };
  const { incident, ...filter } = selection.filter;
  return {
    filter,
    incident: incident === undefined ? null : keyOf(incident, "/selection/filter/incident"),
  };
}

function keyOf(text: string, pointer: string): IncidentKey {
  const key = decodeIncidentKey(text);
  if (key === null) throw new IncidentKeyError(pointer);
  return key;
}
