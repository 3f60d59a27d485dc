/** Readings of the file gathered into requests; each remembers the cells its readings came from. */
import { createHash } from "node:crypto";
import type { Mapping } from "./mapping.ts";
import type { PlacedReading } from "./readings.ts";

export interface ImportBatch {
  /** From 0. */
  readonly number: number;
  readonly readings: number;
  /** JSON as it is sent. */
  readonly body: string;
  /** Line and column of each reading, by its ordinal. */
  readonly lines: readonly number[];
  readonly columns: readonly string[];
}

export class BatchBuilder {
  #readings: PlacedReading["reading"][] = [];
  #lines: number[] = [];
  #columns: string[] = [];
  #number = 0;

  constructor(
    private readonly system_id: string,
    private readonly size: number,
  ) {}

  /** The batch that this reading completes, or null. */
  add({ line, column, reading }: PlacedReading): ImportBatch | null {
    this.#readings.push(reading);
    this.#lines.push(line);
    this.#columns.push(column);
    return this.#readings.length === this.size ? this.#take() : null;
  }

  /** What is left at the end of the file. */
  rest(): ImportBatch | null {
    return this.#readings.length > 0 ? this.#take() : null;
  }

  #take(): ImportBatch {
    const batch: ImportBatch = {
      number: this.#number,
      readings: this.#readings.length,
      body: JSON.stringify({ system_id: this.system_id, readings: this.#readings }),
      lines: this.#lines,
      columns: this.#columns,
    };
    this.#number += 1;
    this.#readings = [];
    this.#lines = [];
    this.#columns = [];
    return batch;
  }
}

/**
 * First part of the Idempotency-Keys of an import: same content, mapping, system and batch size, same keys, so
 * that a second run of an import that broke off brings nothing twice.
 */
export function importKey(
  file_sha256: string,
  mapping: Mapping,
  system_id: string,
  batch_size: number,
): string {
  const origin = JSON.stringify([file_sha256, mapping, system_id, batch_size]);
  return `import-${createHash("sha256").update(origin).digest("hex").slice(0, 40)}`;
}
