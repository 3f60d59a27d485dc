/** The rows of a list that are selected, by mouse or by key. */
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { notify } from "../../ui/notices.tsx";
import type { Keys } from "./keys.ts";

export interface Chosen<T> {
  /** Those that are selected one by one. */
  readonly items: readonly T[];
  /** Everything that the filters show is selected, also what is not among the items. */
  readonly whole: boolean;
  readonly has: (item: T) => boolean;
  readonly set: (items: readonly T[]) => void;
  readonly setWhole: () => void;
  readonly clear: () => void;
  /** The checkbox of a row. */
  readonly box: (item: T) => ComponentChildren;
  readonly keys: (current: T | undefined) => Keys;
}

interface Choice {
  /** The filters that it was made under. */
  readonly scope: string;
  readonly keys: ReadonlySet<string>;
  readonly whole: boolean;
}

/**
 * Rows that are no longer in the list are no longer selected.
 * @param scope the filters that show the rows: what is selected belongs to them, and is forgotten with them
 */
export function useChosen<T>(items: readonly T[], keyOf: (item: T) => string, scope: string): Chosen<T> {
  const none: Choice = { scope, keys: new Set(), whole: false };
  const [made, setMade] = useState(none);
  const { keys, whole } = made.scope === scope ? made : none;
  const choose = (chosen: Iterable<string>) => setMade({ ...none, keys: new Set(chosen) });
  const toggle = (item: T) => {
    // Less than everything can only be what is in sight.
    const next = new Set(whole ? items.map(keyOf) : keys);
    if (!next.delete(keyOf(item))) next.add(keyOf(item));
    if (whole) notify("No longer all that match: only readings in this list stay selected.");
    choose(next);
  };
  const has = (item: T) => whole || keys.has(keyOf(item));
  const clear = () => setMade(none);
  return {
    items: whole ? [] : items.filter(has),
    whole,
    has,
    set: (chosen) => choose(chosen.map(keyOf)),
    setWhole: () => setMade({ ...none, whole: true }),
    clear,
    box: (item) => (
      <input type="checkbox" aria-label="Select" checked={has(item)} onChange={() => toggle(item)} />
    ),
    keys: (current) => ({ x: () => current && toggle(current), Escape: clear }),
  };
}
