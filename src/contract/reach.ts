/** Which systems somebody may see and change. */

/** Ids of systems in lower case; null: every system. */
export type Reach = readonly string[] | null;

/** True when the system is within reach. */
export const reaches = (reach: Reach, system_id: string): boolean =>
  reach === null || reach.includes(system_id);

/** What is within both. Nothing in common is an empty list, which reaches no system. */
export function common(a: Reach, b: Reach): Reach {
  if (a === null) return b;
  return b === null ? a : a.filter((id) => b.includes(id));
}

/** True when everything within `inner` is within `outer`. */
export const isWithin = (inner: Reach, outer: Reach): boolean =>
  outer === null || (inner?.every((id) => outer.includes(id)) ?? false);
