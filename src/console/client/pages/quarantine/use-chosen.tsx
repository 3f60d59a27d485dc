/** The rows of a list that are selected, by mouse or by key. */
import type { ComponentChildren } from "preact";
import { useRef } from "preact/hooks";
import { useKept } from "../../lib/kept.ts";
import type { Keys } from "../../lib/list-keys.ts";
import { notify } from "../../ui/notices.tsx";

export interface Chosen<T> {
  /** Those that are selected one by one. */
  readonly items: readonly T[];
  /** Everything that the filters show is selected, also what is not among the items. */
  readonly whole: boolean;
  readonly has: (item: T) => boolean;
  readonly set: (items: readonly T[]) => void;
  /** These beside those that are selected. */
  readonly add: (items: readonly T[]) => void;
  readonly setWhole: () => void;
  readonly clear: () => void;
  /** The checkbox of a row. @param name which row, for those who do not see it */
  readonly box: (item: T, name: string) => ComponentChildren;
  readonly keys: (current: T | undefined) => Keys;
}

/** From one key to another, whichever comes first; the second alone when the first is not there. */
function between(keys: readonly string[], from: string | null, to: string): readonly string[] {
  const [a, b] = [keys.indexOf(from ?? to), keys.indexOf(to)];
  return a < 0 ? [to] : keys.slice(Math.min(a, b), Math.max(a, b) + 1);
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
  const [made, setMade] = useKept("chosen", none);
  const { keys, whole } = made.scope === scope ? made : none;
  const choose = (chosen: Iterable<string>) => setMade({ ...none, keys: new Set(chosen) });
  /** The row that was ticked last: a range goes from there. */
  const anchor = useRef<string>(null);
  const toggle = (item: T, isRange = false) => {
    // Less than everything can only be what is in sight.
    const next = new Set(whole ? items.map(keyOf) : keys);
    const isWanted = !next.has(keyOf(item));
    const touched = isRange ? between(items.map(keyOf), anchor.current, keyOf(item)) : [keyOf(item)];
    for (const key of touched) {
      if (isWanted) next.add(key);
      else next.delete(key);
    }
    if (whole) notify("No longer all that match: only readings in this list stay selected.");
    anchor.current = keyOf(item);
    choose(next);
  };
  const add = (more: readonly T[]) => {
    if (!whole) choose([...keys, ...more.map(keyOf)]);
  };
  const has = (item: T) => whole || keys.has(keyOf(item));
  const clear = () => setMade(none);
  return {
    items: whole ? [] : items.filter(has),
    whole,
    has,
    set: (chosen) => choose(chosen.map(keyOf)),
    add,
    setWhole: () => setMade({ ...none, whole: true }),
    clear,
    box: (item, name) => (
      <label class="tick">
        <input
          type="checkbox"
          aria-label={`Select ${name}`}
          checked={has(item)}
          onClick={(event) => toggle(item, event.shiftKey)}
        />
      </label>
    ),
    keys: (current) => ({ x: () => current && toggle(current), Escape: clear }),
  };
}
