/** The whole of a list as one file: page after page, each where the one before ended. */
import type { QueryOptions } from "../../store/queries/reader.ts";
import type { AppContext } from "../app-env.ts";
import type { Exports } from "./export.ts";
import { FORMAT_KINDS, type Format } from "./format.ts";

/** Rows of one piece: about 1 MB of text; of the first one fewer, so that the answer begins. */
const PIECE_ROWS = 2_000;
const FIRST_ROWS = 50;
/** Longest wait of an export's next piece for a slot: it has waited its turn already, ms. */
const PIECE_WAIT_MS = 30_000;

/** Some rows as text in the file's format, and where the next ones begin; null at the end. */
export interface Piece<K> {
  readonly text: string;
  readonly next: K | null;
}

export interface WholeFile<K> {
  /** Without its ending. */
  readonly name: string;
  readonly format: Format;
  /** Line before all others; empty without one. */
  readonly header: string;
  piece(after: K | null, rows: number, options: QueryOptions): Promise<Piece<K>>;
}

/** Whether a file is asked for, and not a page of it. */
export const isWhole = (c: AppContext, format: Format) =>
  !FORMAT_KINDS[format].envelope && c.req.query("limit") === undefined && c.req.query("after") === undefined;

/** Throws what `Exports.answer` and the first piece throw. */
export function answerWithFile<K>(
  c: AppContext,
  exports: Exports,
  { name, format, header, piece }: WholeFile<K>,
): Promise<Response> {
  let first = header;
  let after: K | null = null;
  let ended = false;
  return exports.answer(
    c,
    async (signal) => {
      if (ended) return null;
      const isFirst = after === null;
      const options = isFirst ? { signal } : { signal, wait_ms: PIECE_WAIT_MS };
      const found: Piece<K> = await piece(after, isFirst ? FIRST_ROWS : PIECE_ROWS, options);
      // May be empty and yet not the last: the look for a text ends before it has found anything.
      const text = first + found.text;
      first = "";
      after = found.next;
      ended = after === null;
      return ended && text === "" ? null : text;
    },
    {
      "Content-Type": FORMAT_KINDS[format].content_type,
      "Content-Disposition": `attachment; filename="${name}.${format}"`,
    },
  );
}
