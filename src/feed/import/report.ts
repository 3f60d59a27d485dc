/** What became of the file, counted, and where it went wrong, line by line. */
import { once } from "node:events";
import { createWriteStream, type WriteStream } from "node:fs";
import type { RefusalReason } from "../../client/index.ts";
import { UsageError } from "../errors.ts";
import { reasonOf } from "../options.ts";

/** One finding. `column` is null when it concerns the whole line. */
export interface Finding {
  readonly line: number;
  /** Last line of several that one finding concerns. */
  readonly last_line: number;
  readonly column: string | null;
  /** `unreadable`: never sent; else why the service quarantined it. */
  readonly reason: RefusalReason | "unreadable";
  readonly details: string;
}

/** Every value cell of the file is in exactly one of readings, empty_cells and unreadable_cells. */
export class ImportCounts {
  rows = 0;
  empty_lines = 0;
  readings = 0;
  empty_cells = 0;
  unreadable_cells = 0;
  /** Lines of which nothing could be read: broken quotes, wrong number of cells, no time. */
  unreadable_lines = 0;
  batches = 0;
  /** Readings in batches that the service has answered for. */
  delivered = 0;
  inserted = 0;
  duplicate = 0;
  quarantined = 0;
  failed_jobs = 0;
  /** Batches that an earlier import had brought already. */
  replayed_batches = 0;
  readonly by_reason: Partial<Record<RefusalReason, number>> = {};

  /** Readings sent whose fate does not add up; 0 in a whole import. */
  unaccounted(): number {
    return this.readings - this.inserted - this.duplicate - this.quarantined;
  }
}

/** A finding as one line of text: `line 17, PS1: out_of_range: pressure 812.4 bar is above 700 bar`. */
function findingText({ line, last_line, column, reason, details }: Finding): string {
  const lines = last_line > line ? `lines ${line}-${last_line}` : `line ${line}`;
  return `${lines}${column === null ? "" : `, ${column}`}: ${reason}: ${details}`;
}

/** Shows the first findings and writes all of them to a file, if one is wanted (tab-separated). */
export class FindingLog {
  shown = 0;
  total = 0;
  #file: WriteStream | null = null;
  #error: Error | null = null;

  /** @param show told of the first `limit` findings */
  constructor(
    private readonly path: string | null,
    private readonly limit: number,
    private readonly show: (text: string) => void,
  ) {}

  /** @throws {UsageError} when the file cannot be written */
  async open(): Promise<void> {
    if (this.path === null) return;
    const file = createWriteStream(this.path);
    try {
      await once(file, "open");
    } catch (cause) {
      throw new UsageError(`the report ${this.path} cannot be written: ${reasonOf(cause)}`, { cause });
    }
    file.on("error", (error) => {
      this.#error = error;
    });
    file.write("line\tlast_line\tcolumn\treason\tdetails\n");
    this.#file = file;
  }

  async add(finding: Finding): Promise<void> {
    this.total += 1;
    if (this.shown < this.limit) {
      this.shown += 1;
      this.show(findingText(finding));
    }
    if (!this.#file) return;
    const { line, last_line, column, reason, details } = finding;
    const cells = [line, last_line, column ?? "", reason, details].map((cell) =>
      String(cell).replace(/[\t\r\n]+/g, " "),
    );
    if (!this.#file.write(`${cells.join("\t")}\n`)) await this.#drained(this.#file);
  }

  async #drained(file: WriteStream): Promise<void> {
    if (this.#error === null) await once(file, "drain").catch((error: Error) => (this.#error = error));
  }

  /** @throws {UsageError} when the report could not be written to its end */
  async close(): Promise<void> {
    const file = this.#file;
    if (!file) return;
    this.#file = null;
    if (this.#error === null) {
      file.end();
      await once(file, "close").catch((error: Error) => (this.#error = error));
    }
    if (this.#error) {
      throw new UsageError(`the report ${this.path} is not whole: ${this.#error.message}`, {
        cause: this.#error,
      });
    }
  }
}
