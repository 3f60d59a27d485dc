/** Keys of lists. They keep silent while somebody types or a dialog is open. */
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { useKept } from "./kept.ts";
import { isForKeys } from "./typing.ts";

export type Keys = Readonly<Record<string, () => void>>;

export function useKeys(keys: Keys): void {
  const latest = useRef(keys);
  latest.current = keys;
  // At once with what is shown: the key may come right after it
  useLayoutEffect(() => {
    const listen = (event: KeyboardEvent) => {
      if (!isForKeys(event)) return;
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
  /** Puts the cursor on an item, which neither moves the page nor takes the focus. */
  readonly put: (item: T) => void;
}

interface Cursor {
  readonly scope: string;
  readonly at: number;
  /** Of its item: rows that come or go before it must not put it on another one. */
  readonly key: string | null;
}

/** A cursor in a list. When its item is gone it stands on what took its place. */
function useCursor<T>(items: readonly T[], keyOf: (item: T) => string, scope: string) {
  const none: Cursor = { scope, at: -1, key: null };
  const [kept, keep] = useKept("cursor", none);
  const { at, key } = kept.scope === scope ? kept : none;
  const found = key === null ? -1 : items.findIndex((item) => keyOf(item) === key);
  const cursor = found >= 0 ? found : Math.min(at, items.length - 1);
  const put = (to: number) => {
    const item = items[to];
    keep({ scope, at: to, key: item === undefined ? null : keyOf(item) });
  };
  /** @returns where it is then */
  const move = (step: number) => {
    const to = Math.max(0, Math.min(items.length - 1, cursor + step));
    put(to);
    return to;
  };
  return { cursor, move, put };
}

/**
 * j and k move a cursor that stays in sight; the other keys act on its row.
 * @param scope the filters that show the items; others put the cursor back
 * @param extend selects items beside those that are: capital letters take the rows along that the cursor passes
 */
export function useListKeys<T>(
  items: readonly T[],
  keyOf: (item: T) => string,
  scope: string,
  extend: (items: readonly T[]) => void,
  others: (current: T | undefined) => Keys,
): ListKeys<T> {
  const { cursor, move, put } = useCursor(items, keyOf, scope);
  const current = items[cursor];
  const isMoved = useRef(true);
  const step = (by: number) => {
    isMoved.current = true;
    return items[move(by)];
  };
  const take = (by: number) => extend([current, step(by)].filter((item) => item !== undefined));
  useKeys({
    ...others(current),
    j: () => step(1),
    k: () => step(-1),
    J: () => take(1),
    K: () => take(-1),
  });
  useRowFocus(isMoved, current === undefined ? null : keyOf(current));
  return { cursor, current, put: (item) => put(items.indexOf(item)) };
}

/** The row of the cursor is brought into sight and read out when it was moved; nothing else loses the focus to it. */
function useRowFocus(isMoved: { current: boolean }, key: string | null): void {
  useEffect(() => {
    const row = document.querySelector<HTMLElement>("tr.current");
    const { activeElement } = document;
    if (row && isMoved.current) row.scrollIntoView({ block: "nearest" });
    // When its row is gone, what took its place has the focus, not the page
    if (isMoved.current || activeElement === document.body || activeElement?.matches("tr"))
      row?.focus({ preventScroll: true });
    if (row) isMoved.current = false;
  }, [key]);
}
