/** Tables that turn into cards on a narrow screen. */
import type { ComponentChildren } from "preact";

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

export function Table<T>({ label, columns, rows, keyOf, lead, look }: TableProps<T>) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
    <section class="table-scroll" aria-label={label} tabIndex={0}>
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
    <tr class={classes || undefined} aria-current={look?.current ? "true" : undefined}>
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
