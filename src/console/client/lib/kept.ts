/**
 * What a visit of a page keeps for the way back: rows that were loaded, the cursor, the selection, how far it was
 * scrolled. Each entry of the browser's history has its own, so two visits of one address do not mix. A load of the
 * page forgets all of it, and so does another visitor.
 */
import { useState } from "preact/hooks";
import { session } from "./api.ts";

/** Visits that are remembered; a way back that is longer begins anew. */
const MOST_VISITS = 30;

type Held = Map<string, unknown>;
/** By the id of the entry; the latest visits stand last. */
const visits = new Map<number, Held>();
let made = 0;
let visitor: string | undefined;

session.listen(() => {
  const id = session.value?.user.id;
  if (id === visitor) return;
  visitor = id;
  visits.clear();
});

/** The state of an entry that holds its id; what a load of the page before has left is another one. */
const page_load = performance.timeOrigin;
const isOurs = (state: unknown): state is { readonly load: number; readonly visit: number } =>
  typeof state === "object" && state !== null && (state as { load?: unknown }).load === page_load;

/** State for a new entry. */
export const newVisit = () => ({ load: page_load, visit: ++made });

/** What the present entry holds. */
export function heldNow(): Held {
  if (!isOurs(history.state)) history.replaceState(newVisit(), "");
  const { visit } = history.state as { visit: number };
  const held: Held = visits.get(visit) ?? new Map();
  visits.delete(visit);
  visits.set(visit, held);
  for (const [oldest] of visits) if (visits.size > MOST_VISITS) visits.delete(oldest);
  return held;
}

/** A state that is there again when the visitor comes back to this entry. */
export function useKept<T>(name: string, initial: T): [value: T, set: (value: T) => void] {
  const [, draw] = useState(0);
  const held = heldNow();
  const value = held.has(name) ? (held.get(name) as T) : initial;
  const set = (next: T) => {
    held.set(name, next);
    draw((count) => count + 1);
  };
  return [value, set];
}
