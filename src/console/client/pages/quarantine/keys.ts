/** Keys of the review lists. They keep silent while somebody types or a dialog is open. */
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

export type Keys = Readonly<Record<string, () => void>>;

const TYPING = "input:not([type=checkbox], [type=radio]), select, textarea, [contenteditable]";

export function useKeys(keys: Keys): void {
  const latest = useRef(keys);
  latest.current = keys;
  // At once with what is shown: the key may come right after it
  useLayoutEffect(() => {
    const listen = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
      if (event.target instanceof Element && event.target.matches(TYPING)) return;
      if (document.querySelector("dialog[open]")) return;
      // Enter on a link or button means that link or button.
      if (event.key === "Enter" && event.target instanceof Element && event.target.closest("a, button"))
        return;
      const act = latest.current[event.key];
      if (!act) return;
      event.preventDefault();
      act();
    };
    addEventListener("keydown", listen);
    return () => removeEventListener("keydown", listen);
  }, []);
}

export interface ListKeys<T> {
  /** Index of the row that keys act on; -1 before the first j. */
  readonly cursor: number;
  readonly current: T | undefined;
}

/**
 * j and k move a cursor that stays in sight; the other keys act on its row.
 * @param scope the filters that show the items; others put the cursor back
 */
export function useListKeys<T>(
  items: readonly T[],
  scope: string,
  others: (current: T | undefined) => Keys,
): ListKeys<T> {
  const [wanted, setWanted] = useState({ scope, at: -1 });
  const cursor = Math.min(wanted.scope === scope ? wanted.at : -1, items.length - 1);
  const current = items[cursor];
  const move = (step: number) =>
    setWanted({ scope, at: Math.max(0, Math.min(items.length - 1, cursor + step)) });
  useKeys({ ...others(current), j: () => move(1), k: () => move(-1) });
  // A moved cursor is brought into sight
  useEffect(() => {
    document.querySelector("tr.current")?.scrollIntoView({ block: "nearest" });
  }, [cursor]);
  return { cursor, current };
}
