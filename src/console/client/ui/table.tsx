/** Tables whose rows turn into cards where the columns have no room. */
import type { ComponentChildren, RefObject } from "preact";
import { useContext, useLayoutEffect, useRef, useState } from "preact/hooks";
import { useListKeys } from "../lib/list-keys.ts";
import { IsList } from "./list.tsx";

export interface Column<T> {
  readonly label: string;
  readonly cell: (item: T) => ComponentChildren;
  /** Right-aligned figures. */
  readonly figures?: boolean;
  /** Takes the width that is left. */
  readonly wide?: boolean;
  /** A name, which is not broken into single words. */
  readonly name?: boolean;
}

export interface RowLook {
  readonly current?: boolean;
  readonly selected?: boolean;
}

interface TableProps<T> {
  /** Names the table for those who do not see it. */
  readonly label: string;
  readonly columns: readonly Column<T>[];
  readonly rows: readonly T[];
  readonly keyOf: (item: T) => string | number;
  /** What stands before the first column: a checkbox. */
  readonly lead?: (item: T) => ComponentChildren;
  readonly look?: (item: T, index: number) => RowLook;
}

/** Columns beside each other are read badly in less, though they might fit. */
const LEAST_PX = 380;

/** Whether rows are shown as cards, because the table is wider than its place. */
function useCards(place: RefObject<HTMLElement | null>, rows: readonly unknown[]): boolean {
  const [cards, setCards] = useState(innerWidth < LEAST_PX);
  /** Width that the columns were seen to need. */
  const needed_px = useRef(LEAST_PX);
  // Before the first picture, and again with other rows or another width
  useLayoutEffect(() => {
    const host = place.current;
    if (!host) return;
    const measure = () => {
      const { clientWidth, scrollWidth } = host;
      if (!host.classList.contains("cards") && scrollWidth > clientWidth) needed_px.current = scrollWidth;
      setCards(clientWidth < needed_px.current);
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(host);
    return () => observer.disconnect();
  }, [rows]);
  return cards;
}

/** A list of its own is walked through by keys; the lists of the quarantine see to that themselves. */
export function Table<T>(props: TableProps<T>) {
  const isWalked = useContext(IsList) && props.look === undefined;
  return isWalked ? <WalkedTable {...props} /> : <PlainTable {...props} />;
}

/** Enter does the first thing that a row offers. */
function openCurrent(): void {
  document.querySelector<HTMLElement>("tr.current a, tr.current button:enabled")?.click();
}

const NO_SELECTION = () => undefined;

function WalkedTable<T>(props: TableProps<T>) {
  const keyOf = (item: T) => String(props.keyOf(item));
  const { cursor } = useListKeys(props.rows, keyOf, props.label, NO_SELECTION, (item) => ({
    ...(item === undefined ? {} : { Enter: openCurrent }),
  }));
  return <PlainTable {...props} look={(_, index) => ({ current: index === cursor })} />;
}

function PlainTable<T>({ label, columns, rows, keyOf, lead, look }: TableProps<T>) {
  const place = useRef<HTMLElement>(null);
  const cards = useCards(place, rows);
  return (
    <section ref={place} class={`table-scroll${cards ? " cards" : ""}`} aria-label={label}>
      <table>
        <thead>
          <tr>
            {lead ? (
              <th scope="col" class="lead">
                <span class="unseen">Selected</span>
              </th>
            ) : null}
            {columns.map((column) => (
              <th key={column.label} scope="col" class={classOf(column)}>
                {column.label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((item, index) => (
            <Row key={keyOf(item)} item={item} columns={columns} lead={lead} look={look?.(item, index)} />
          ))}
        </tbody>
      </table>
    </section>
  );
}

interface RowProps<T> {
  readonly item: T;
  readonly columns: readonly Column<T>[];
  readonly lead: ((item: T) => ComponentChildren) | undefined;
  readonly look: RowLook | undefined;
}

function Row<T>({ item, columns, lead, look }: RowProps<T>) {
  const classes = [look?.current ? "current" : "", look?.selected ? "selected" : ""]
    .filter(Boolean)
    .join(" ");
  return (
    <tr
      class={classes || undefined}
      aria-current={look?.current ? "true" : undefined}
      tabIndex={look?.current ? -1 : undefined}
    >
      {lead ? <td class="lead">{lead(item)}</td> : null}
      {columns.map((column) => (
        <td key={column.label} class={classOf(column)} data-label={column.label}>
          <div>{column.cell(item)}</div>
        </td>
      ))}
    </tr>
  );
}

const classOf = <T,>({ figures, wide, name }: Column<T>) =>
  [figures ? "figures" : "", wide ? "wide" : "", name ? "name" : ""].filter(Boolean).join(" ") || undefined;
