/** What a reviewer selected, with the key of its incident read, and which systems it can be about. */
import { decodeIncidentKey, type IncidentKey } from "../contract/incident-key.ts";
import { common, type Reach, reaches } from "../contract/reach.ts";
import type { Selected } from "../store/review/selection.ts";
import type { Decision } from "../store/review/tasks.ts";
import { IncidentKeyError } from "./review-errors.ts";

/** @throws {IncidentKeyError} also for an incident of a system that the decision does not reach */
export function toSelected({ selection, systems: reach }: Pick<Decision, "selection" | "systems">): Selected {
  if ("ids" in selection) return { ...selection, reach };
  if ("incident" in selection)
    return { filter: {}, incident: keyOf(selection.incident, reach, "/selection/incident"), reach };
  const { incident, ...filter } = selection.filter;
  return {
    filter,
    incident: incident === undefined ? null : keyOf(incident, reach, "/selection/filter/incident"),
    reach,
  };
}

/** Systems that a selection can be about at most. */
export function reachOf(selected: Selected): Reach {
  if ("ids" in selected) return selected.reach;
  const named = selected.incident?.system_id ?? selected.filter.system_id?.toLowerCase();
  return named === undefined ? selected.reach : common(selected.reach, [named]);
}

function keyOf(text: string, reach: Reach, pointer: string): IncidentKey {
  const key = decodeIncidentKey(text);
  if (key === null || !reaches(reach, key.system_id)) throw new IncidentKeyError(pointer);
  return key;
}
