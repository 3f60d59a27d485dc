/** A count in a table: nothing steps back, so that what there is stands out. */
import { count } from "../lib/format.ts";

interface CountProps {
  readonly of: number | null | undefined;
  /** Each one is something to look at. */
  readonly warn?: boolean;
}

export const Count = ({ of, warn = false }: CountProps) => (
  <span class={of ? (warn ? "warn" : undefined) : "nought"}>{count(of)}</span>
);
