/** A list in all its states: loading, failed, empty, filled, with more to come. */
import { type ComponentChildren, createContext, type RefObject } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { count } from "../lib/format.ts";
import type { List } from "../lib/list.ts";
import { Empty, Loading, ProblemBox } from "./states.tsx";

/** Whether a table is the list of its place, which keys walk through. */
export const IsList = createContext(false);

interface ListViewProps<T> {
  readonly list: List<T>;
  /** What is said when there is nothing. */
  readonly empty: string;
  /** Why there is nothing without filters, and what would bring something. */
  readonly emptyHint: ComponentChildren;
  /** Address of the list without filters, when these may be why there is nothing. */
  readonly clear?: string | null;
  readonly children: (items: readonly T[]) => ComponentChildren;
}

/** When the row that had the focus is gone, the list has it, not the page: Tab goes on from there. */
function useKeptFocus(place: RefObject<HTMLElement | null>, items: unknown) {
  const isInside = useRef(false);
  useEffect(() => {
    const list = place.current;
    if (!list || !isInside.current || document.activeElement !== document.body) return;
    list.tabIndex = -1;
    list.focus({ preventScroll: true });
  }, [items]);
  return {
    onFocusIn: () => {
      isInside.current = true;
    },
    onFocusOut: ({ relatedTarget }: FocusEvent) => {
      // Without a target it went to nothing: with its row, or with the window.
      if (relatedTarget !== null) isInside.current = false;
    },
  };
}

export function ListView<T>({ list, empty, emptyHint, clear, children }: ListViewProps<T>) {
  const { items, error, loading, more, isWhole, reload } = list;
  const place = useRef<HTMLDivElement>(null);
  const keep = useKeptFocus(place, items);
  return (
    <div ref={place} {...keep} aria-busy={loading} class={loading && items ? "stale" : undefined}>
      {error ? <ProblemBox problem={error} retry={reload} /> : null}
      {items === null && loading ? <Loading /> : null}
      {items?.length === 0 && isWhole ? <Nothing title={empty} hint={emptyHint} clear={clear} /> : null}
      {items?.length === 0 && !isWhole ? (
        <Empty title="Nothing found so far">There is more to look through: look further, below.</Empty>
      ) : null}
      {items && items.length > 0 ? <IsList.Provider value={true}>{children(items)}</IsList.Provider> : null}
      {items ? (
        <div class="list-foot">
          <span class="muted" role="status">
            {items.length > 0 ? `${count(items.length)} shown${more || loading ? "" : ", no more"}` : ""}
          </span>
          <span class="chart-tools">
            {more ? (
              <button type="button" class="button" onClick={more}>
                {items.length > 0 ? "Show more" : "Look further"}
              </button>
            ) : null}
            <button type="button" class="button" disabled={loading} onClick={reload}>
              Refresh
            </button>
          </span>
        </div>
      ) : null}
    </div>
  );
}

interface NothingProps {
  readonly title: string;
  readonly hint: ComponentChildren;
  readonly clear: string | null | undefined;
}

const Nothing = ({ title, hint, clear }: NothingProps) => (
  <Empty
    title={title}
    action={
      clear ? (
        <a class="button" href={clear}>
          Clear the filters
        </a>
      ) : null
    }
  >
    {clear ? "Nothing fits these filters." : hint}
  </Empty>
);
