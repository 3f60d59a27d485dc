/**
 * One group of batches, one transaction: readings, quarantined readings, the jobs' terminal rows and the dirty
 * hours commit together or not at all. The job row is the exactly-once ledger: a group with a job that has ended
 * before is rolled back and told apart.
 *
 * Readings go straight into the hypertable. When a key is stored already (23505), what is stored is looked up and left
 * out; only when that fails too (somebody else stores the same keys at this moment, or far more is stored between the
 * group's readings than it has) does the group take the way through a staging table, which always succeeds and costs
 * three times as much.
 */
import { encodeReadings, encodeRefusals, QUARANTINE_COPY_COLUMNS } from "../../contract/copy.ts";
import { type Span, shared, within } from "../../ops/trace.ts";
import { classify } from "../errors.ts";
import { WriterConnection, type WriterSettings, type WriterTransaction } from "./connection.ts";
import type { Committed, Ledger, Stored, Way, WriteGroup } from "./group.ts";
import { endJobs } from "./jobs.ts";
import { settleRepeats, toLedger } from "./ledger.ts";
import {
  CrowdedError,
  MovedError,
  markDirty,
  storeDirect,
  storeSifted,
  storeStaged,
  takeOut,
} from "./readings.ts";
import { registerSensors } from "./sensor-registration.ts";

export class Writer {
  readonly #connection: WriterConnection;
  /** Keys of the last group were stored before: where producers send again, the next one has some too. */
  #repeating = false;

  constructor(
    private readonly settings: WriterSettings,
    private readonly now_ms: () => number,
  ) {
    this.#connection = new WriterConnection(settings);
  }

  /**
   * Write a group.
   * @throws {AlreadyEndedError} nothing was written; leave those jobs out and try again
   * @throws {SensorTakenError} {ReplacedError} nothing was written; judge the group again by what is there now
   * @throws errors to be told apart by `classify`
   */
  async commit(group: WriteGroup): Promise<Committed> {
    const ways: Way[] = this.#repeating ? ["sifted"] : ["direct", "sifted"];
    for (const way of ways) {
      try {
        return await this.#attempt(group, way);
      } catch (error) {
        const anotherWay = classify(error) === "unique" || error instanceof CrowdedError;
        if (!anotherWay) throw error;
      }
    }
    try {
      return await this.#attempt(group, "staged");
    } catch (error) {
      if (!(error instanceof MovedError)) throw error;
      return await this.#attempt(group, "staged");
    }
  }

  /**
   * Find the rows that PostgreSQL refuses (SQLSTATE class 22 or 23, not 23505), by halving; writes nothing.
   * @returns positions in `group.order`, with the server's message
   */
  async guiltyRows(group: WriteGroup): Promise<Map<number, string>> {
    const guilty = new Map<number, string>();
    const probe = async (from: number, to: number): Promise<void> => {
      if (from >= to) return;
      const refusal = await this.#probe({ ...group, order: group.order.subarray(from, to) });
      if (refusal === null) return;
      if (to - from === 1) {
        guilty.set(from, refusal);
        return;
      }
      const middle = (from + to) >>> 1;
      await probe(from, middle);
      await probe(middle, to);
    };
    await probe(0, group.order.length);
    return guilty;
  }

  /** A transaction without readings, on the writer's connection. @throws errors to be told apart by `classify` */
  transaction<T>(work: (tx: WriterTransaction) => Promise<T>): Promise<T> {
    return this.#connection.transaction(work);
  }

  async close(): Promise<void> {
    await this.#connection.close();
  }

  #attempt(group: WriteGroup, way: Way): Promise<Committed> {
    const span = shared(group.spans ?? [], "transaction", { attributes: { "hydraulic.way": way } });
    return within(span, () => this.#write(group, way, span));
  }

  async #write(group: WriteGroup, way: Way, span: Span): Promise<Committed> {
    const begin = performance.now();
    const store = storeBy(way, group);
    const encoded = performance.now();
    let copied = encoded;
    let written = encoded;
    const ledger = await this.#connection.transaction(async (tx) => {
      await group.first?.(tx);
      await registerSensors(tx, group.registrations);
      if (group.replaced?.length) await takeOut(tx, group.replaced);
      const copying = performance.now();
      const stored = await store(tx);
      copied = performance.now();
      tellCopy(span, copying, "diagnostics_sensordata", group.order.length - stored.size);
      this.#repeating = stored.size > 0;
      const judged = toLedger(group, stored, settleRepeats(group, stored), this.now_ms());
      await group.beside?.(tx, judged);
      // Before the quarantine, whose unique index would refuse a batch that ended before with a less clear word.
      await endJobs(tx, group, judged, this.settings.application_name);
      await copyRefusals(tx, group, judged, span);
      await markDirty(tx, judged.dirty);
      written = performance.now();
      return judged;
    });
    span.did("COMMIT", written, { kind: "client", attributes: POSTGRES });
    return {
      jobs: ledger.jobs,
      refusals: ledger.refusals,
      rows: ledger.inserted,
      way,
      encode_ms: encoded - begin,
      copy_ms: copied - encoded,
      commit_ms: performance.now() - copied,
    };
  }

  /** The server's message when it refuses the rows, null when it takes them. */
  async #probe(group: WriteGroup): Promise<string | null> {
    const bytes = encodeReadings(group.columns, group.order, systemsOf(group), true);
    const done = new ProbeDone();
    try {
      await this.#connection.transaction(async (tx) => {
        await storeStaged(tx, group, bytes);
        throw done;
      });
    } catch (error) {
      if (error === done) return null;
      if (classify(error) === "data") return (error as Error).message;
      throw error;
    }
    return null;
  }
}

/** Thrown to roll a probe back. */
class ProbeDone extends Error {
  override readonly name = "ProbeDone";
}

async function copyRefusals(
  tx: WriterTransaction,
  group: WriteGroup,
  { refusals }: Ledger,
  span: Span,
): Promise<void> {
  if (refusals.length === 0) return;
  const begun_ms = performance.now();
  const batches = group.jobs.map(({ meta }) => meta);
  const bytes = encodeRefusals(refusals, batches);
  await tx.copy("diagnostics_quarantined_reading", QUARANTINE_COPY_COLUMNS, bytes);
  tellCopy(span, begun_ms, "diagnostics_quarantined_reading", refusals.length);
}

/** As OpenTelemetry's semantic conventions have it. */
const POSTGRES = { "db.system.name": "postgresql" } as const;

function tellCopy(span: Span, begun_ms: number, table: string, rows: number): void {
  if (!span.recording) return;
  const attributes = {
    ...POSTGRES,
    "db.operation.name": "COPY",
    "db.collection.name": table,
    "hydraulic.rows": rows,
  };
  span.did(`COPY ${table}`, begun_ms, { kind: "client", attributes });
}

/** Encodes the group as the way wants it; sifted rows are encoded once it is known which. */
function storeBy(way: Way, group: WriteGroup): (tx: WriterTransaction) => Promise<Map<number, Stored>> {
  const systems = systemsOf(group);
  if (way === "sifted") return (tx) => storeSifted(tx, group, systems);
  const bytes = encodeReadings(group.columns, group.order, systems, way === "staged");
  return way === "staged" ? (tx) => storeStaged(tx, group, bytes) : (tx) => storeDirect(tx, group, bytes);
}

const systemsOf = (group: WriteGroup) => group.jobs.map(({ meta }) => meta.system_id);
