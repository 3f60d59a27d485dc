/** A list in all its states: loading, failed, empty, filled, with more to come. */
import { type ComponentChildren, createContext } from "preact";
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

export function ListView<T>({ list, empty, emptyHint, clear, children }: ListViewProps<T>) {
  const { items, error, loading, more, isWhole, reload } = list;
  return (
    <div aria-busy={loading} class={loading && items ? "stale" : undefined}>
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
            {isWhole ? null : (
              <button type="button" class="button" disabled={more === null} onClick={more ?? undefined}>
                {items.length > 0 ? "Show more" : "Look further"}
              </button>
            )}
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
