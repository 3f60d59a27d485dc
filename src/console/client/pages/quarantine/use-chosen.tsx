/** The rows of a list that are selected, by mouse or by key. */
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import type { Keys } from "./keys.ts";

export interface Chosen<T> {
  readonly items: readonly T[];
  readonly has: (item: T) => boolean;
  readonly set: (items: readonly T[]) => void;
  readonly clear: () => void;
  /** The checkbox of a row. */
  readonly box: (item: T) => ComponentChildren;
  readonly keys: (current: T | undefined) => Keys;
}

/** Rows that are no longer in the list are no longer selected. */
export function useChosen<T>(items: readonly T[], keyOf: (item: T) => string): Chosen<T> {
  const [keys, setKeys] = useState<ReadonlySet<string>>(new Set());
  const toggle = (item: T) => {
    const next = new Set(keys);
    if (!next.delete(keyOf(item))) next.add(keyOf(item));
    setKeys(next);
  };
  const has = (item: T) => keys.has(keyOf(item));
  const clear = () => setKeys(new Set());
  return {
    items: items.filter(has),
    has,
    set: (chosen) => setKeys(new Set(chosen.map(keyOf))),
    clear,
    box: (item) => (
      <input type="checkbox" aria-label="Select" checked={has(item)} onChange={() => toggle(item)} />
    ),
    keys: (current) => ({ x: () => current && toggle(current), Escape: clear }),
  };
}
