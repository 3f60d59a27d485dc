/** Readings that keep coming while questions are asked: a rig at a steady pace over HTTP. */
import type postgres from "postgres";
import { Histogram } from "../../src/feed/histogram.ts";
import { WrongDataError } from "../../src/store/benchmark-tables.ts";
import { Dataset, SENSORS } from "../bench/dataset.ts";
import { Connection, postRequest } from "../bench/http-connection.ts";
import { expectAccepted, INGEST_PATH, type Latency, latencyOf } from "../bench/http-runs.ts";
import type { Service } from "../bench/service.ts";

const BATCH = 1_000;
/** Made anew after so many readings. */
const PIECE_ROWS = 100_000;
const STORED_DEADLINE_MS = 60_000;

export interface IngestBeside {
  readonly rows: number;
  readonly rows_per_s: number;
  /** From the time at which a request was due to its answer. */
  readonly accept: Latency;
}

export class Ingest {
  readonly #accept = new Histogram();
  readonly #stopping = new AbortController();
  readonly #begin_ms = performance.now();
  #rows = 0;
  readonly #running: Promise<void>;

  /** @param rows_per_s of live readings of `system_id`, which nobody else writes to */
  constructor(
    private readonly service: Service,
    private readonly sql: postgres.Sql,
    private readonly system_id: string,
    private readonly rows_per_s: number,
  ) {
    this.#running = this.#send();
    // Awaited by `stop`; until then its failure must not count as unhandled.
    this.#running.catch(() => undefined);
  }

  /** @throws {WrongDataError} unless everything that was sent was accepted and is stored */
  async stop(): Promise<IngestBeside> {
    this.#stopping.abort();
    await this.#running;
    const elapsed_s = (performance.now() - this.#begin_ms) / 1000;
    const end = performance.now() + STORED_DEADLINE_MS;
    for (let stored = await this.#stored(); stored !== this.#rows; stored = await this.#stored()) {
      if (performance.now() > end) throw new WrongDataError(`${stored} of ${this.#rows} readings are stored`);
      await Bun.sleep(100);
    }
    const rows_per_s = Math.round(this.#rows / elapsed_s);
    return { rows: this.#rows, rows_per_s, accept: latencyOf(this.#accept) };
  }

  async #send(): Promise<void> {
    const { host, port, tokens } = this.service;
    const connection = await Connection.open(host, port);
    try {
      for (let n = 0; !this.#stopping.signal.aborted; n += 1) {
        for (const body of this.#piece(n).bodies(BATCH)) {
          if (this.#stopping.signal.aborted) break;
          const due_ms = this.#begin_ms + (this.#rows / this.rows_per_s) * 1000;
          await Bun.sleep(Math.max(0, due_ms - performance.now()));
          expectAccepted(
            await connection.send(postRequest(`${host}:${port}`, INGEST_PATH, tokens[0]!, body)),
          );
          this.#accept.add(performance.now() - due_ms);
          this.#rows += BATCH;
        }
      }
    } finally {
      connection.close();
    }
  }

  /** One after another in time, the first one ending when the run began. */
  #piece(n: number): Dataset {
    const interval_ms = Math.floor((1000 * SENSORS) / this.rows_per_s);
    const span_ms = Math.ceil(PIECE_ROWS / SENSORS) * interval_ms;
    const start_ms = Math.floor(performance.timeOrigin + this.#begin_ms) + (n - 1) * span_ms;
    return new Dataset({ rows: PIECE_ROWS, system_id: this.system_id, start_ms, interval_ms });
  }

  async #stored(): Promise<number> {
    const [row] = await this.sql<
      { stored: number }[]
    >`SELECT coalesce(sum(inserted_readings), 0)::float8 AS stored
      FROM diagnostics_ingestion_job WHERE system_id = ${this.system_id} AND status = 'completed'`;
    return row!.stored;
  }
}
