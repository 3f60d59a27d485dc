/**
 * A rig at a steady pace. Requests leave by the clock whether or not earlier ones were answered, and waiting for
 * a free connection counts, so that a slow answer cannot hide the ones behind it.
 */
import { Histogram } from "../../src/feed/histogram.ts";
import type { CpuTimes } from "./cpu.ts";
import { spent } from "./cpu.ts";
import type { Dataset } from "./dataset.ts";
import { Connection } from "./http-connection.ts";
import { type Bench, checkRun, expectAccepted, type Latency, latencyOf } from "./http-runs.ts";

export interface PacedRun {
  readonly rows_per_s: number;
  readonly requests: number;
  /** From the time at which a request was due to its 202. */
  readonly accept: Latency;
  /** From its 202 until another session's query sees its rows. */
  readonly queryable: Latency;
  /** Length of the run, s; processor time is to be read against it. */
  readonly elapsed_s: number;
  readonly cpu: CpuTimes;
}

const CONNECTIONS = 8;
/** How finely `queryable` is seen, ms. */
const LOOK_EVERY_MS = 5;
const LOOK_DEADLINE_MS = 60_000;

/** When each job was accepted, until it is seen. */
class Lookout {
  readonly #waiting = new Map<string, number>();
  readonly seen = new Histogram();

  constructor(private readonly sql: Bench["stack"]["sql"]) {}

  expect(job_id: string): void {
    this.#waiting.set(job_id, performance.now());
  }

  /** Look until `all` jobs were seen. Job and readings are committed together, so the job row tells of both. */
  async run(all: number): Promise<void> {
    let progress = performance.now();
    while (this.seen.count < all) {
      if (performance.now() - progress > LOOK_DEADLINE_MS) throw new Error("accepted jobs do not end");
      if ((await this.#look()) > 0) progress = performance.now();
      await Bun.sleep(LOOK_EVERY_MS);
    }
  }

  async #look(): Promise<number> {
    const ids = [...this.#waiting.keys()];
    if (ids.length === 0) return 0;
    const rows = await this.sql<{ id: string }[]>`SELECT id FROM diagnostics_ingestion_job
      WHERE id = ANY(${ids}::uuid[]) AND status IN ('completed', 'failed')`;
    const now = performance.now();
    for (const { id } of rows) {
      this.seen.add(now - this.#waiting.get(id)!);
      this.#waiting.delete(id);
    }
    return rows.length;
  }
}

/** @param every_ms from one request to the next */
export async function paced(
  { stack, service, meter }: Bench,
  data: Dataset,
  requests: readonly Buffer[],
  every_ms: number,
): Promise<PacedRun> {
  const open = await Promise.all(
    Array.from({ length: CONNECTIONS }, () => Connection.open(service.host, service.port)),
  );
  const accept = new Histogram();
  const lookout = new Lookout(stack.sql);
  const before = await meter.read();
  const begin = performance.now();
  const lane = async (connection: Connection, first: number) => {
    for (let i = first; i < requests.length; i += CONNECTIONS) {
      const due = begin + i * every_ms;
      await Bun.sleep(Math.max(0, due - performance.now()));
      const answer = await connection.send(requests[i]!);
      expectAccepted(answer);
      const { job_id } = JSON.parse(answer.body) as { job_id: string };
      lookout.expect(job_id);
      accept.add(performance.now() - due);
    }
  };
  await Promise.all([lookout.run(requests.length), ...open.map(lane)]);
  const elapsed_s = (performance.now() - begin) / 1000;
  const cpu = spent(before, await meter.read());
  for (const connection of open) connection.close();
  await checkRun(stack, data, requests.length);
  return {
    rows_per_s: Math.round(data.shape.rows / elapsed_s),
    requests: requests.length,
    accept: latencyOf(accept),
    queryable: latencyOf(lookout.seen),
    elapsed_s: Math.round(elapsed_s * 10) / 10,
    cpu,
  };
}
