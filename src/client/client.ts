/** The client: readings in, batches out, and the jobs that they become. */
import { randomUUID } from "node:crypto";
import { ClosedError, OptionsError } from "./errors.ts";
import { type ClientOptions, type Settings, settingsOf } from "./options.ts";
import { Pipeline } from "./pipeline.ts";
import { Service } from "./service.ts";
import type { Acceptance, Batch, Job, QuarantinePage, Reading } from "./types.ts";

export interface SendOptions {
  /** Same key and same batch, one job. Default: a new one, kept over the retries of this call. */
  readonly idempotency_key?: string;
  /** What messages call the batch. */
  readonly label?: string;
  readonly signal?: AbortSignal;
}

export interface WaitOptions {
  /** Default 60,000. */
  readonly deadline_ms?: number;
  readonly signal?: AbortSignal;
}

const DEADLINE_MS = 60_000;
const QUARANTINE_PAGE = 1000;

export class HydraulicClient {
  readonly #settings: Settings;
  readonly #options: ClientOptions;
  readonly #service: Service;
  #pipeline: Pipeline | null = null;
  #closing: Promise<void> | null = null;

  /**
   * Opens the spool, if there is one, and begins to send what an earlier process left in it.
   * @throws {OptionsError} {SpoolLockedError} {SpoolWriteError}
   */
  constructor(options: ClientOptions) {
    this.#options = options;
    this.#settings = settingsOf(options);
    this.#service = new Service({ ...this.#settings, auth: options.auth });
    if (this.#settings.spool) this.#buffered();
  }

  /** Log in ahead of the first request, so that a wrong password shows at once. @throws {LoginRefusedError} … */
  login(signal?: AbortSignal): Promise<void> {
    return this.#service.login(signal);
  }

  /**
   * Take a reading in. Resolves when it is buffered; with a spool, when it is on disk.
   * @throws {BufferFullError} {SpoolWriteError} {ClosedError} {OptionsError}
   */
  write(reading: Reading): Promise<void> {
    return this.writeMany([reading]);
  }

  /**
   * Take readings in, in their order. A rejected promise says that the last of them were not taken; with
   * `when_full: "throw"` and at most `batch.max_readings` of them, that none was.
   * @throws {BufferFullError} {SpoolWriteError} {ClosedError} {OptionsError}
   */
  async writeMany(readings: readonly Reading[]): Promise<void> {
    if (this.#closing) throw new ClosedError();
    await this.#buffered().write(readings.map(readingJson));
  }

  /**
   * Resolves when everything written so far is acknowledged.
   * @throws {NotAcceptedError} when some of it, or of what was written before, was refused for good
   * @throws {ClosedError} when `close` gives up before that
   * @throws {FlushDeadlineError} and what keeps everything from being sent: {LoginRefusedError}, … What is not
   * acknowledged stays buffered all the same.
   */
  async flush({ deadline_ms = DEADLINE_MS, signal }: WaitOptions = {}): Promise<void> {
    if (this.#closing) throw new ClosedError();
    await this.#pipeline?.flush({ deadline_ms, signal });
  }

  /**
   * Flush, then let go of everything. What is in a spool and could not be sent stays there for the next process.
   * @throws {UnsentError} without a spool, when readings had to be given up; {NotAcceptedError}
   */
  close({ deadline_ms = DEADLINE_MS }: { deadline_ms?: number } = {}): Promise<void> {
    this.#closing ??= this.#pipeline?.close(deadline_ms) ?? Promise.resolve();
    return this.#closing;
  }

  /**
   * Send one batch now, beside the buffer.
   * @param batch or its JSON
   * @throws {RequestRefusedError} {RetriesExhaustedError} {LoginRefusedError} {UnexpectedAnswerError} {StoppedError}
   */
  send(batch: Batch | string, { idempotency_key, label, signal }: SendOptions = {}): Promise<Acceptance> {
    return this.#service.send({
      body: typeof batch === "string" ? batch : batchJson(batch),
      idempotency_key: idempotency_key ?? randomUUID(),
      what: label ?? "the batch",
      signal,
      ...(typeof batch === "string" ? {} : { readings: batch.readings.length }),
    });
  }

  /** @throws {RequestRefusedError} {RetriesExhaustedError} {LoginRefusedError} {UnexpectedAnswerError} {StoppedError} */
  job(job_id: string, signal?: AbortSignal): Promise<Job> {
    return this.#service.job(job_id, signal);
  }

  /** Follow a job until it is completed or failed. @throws {JobDeadlineError} and what `job` throws */
  waitForJob(job_id: string, { deadline_ms = DEADLINE_MS, signal }: WaitOptions = {}): Promise<Job> {
    return this.#service.waitForJob(job_id, deadline_ms, signal);
  }

  /**
   * One page of what a job's batch has in quarantine.
   * @param after `next` of the page before, or null for the first
   * @throws what `job` throws
   */
  quarantinePage(
    job_id: string,
    after: number | null = null,
    { limit = QUARANTINE_PAGE, signal }: { limit?: number; signal?: AbortSignal } = {},
  ): Promise<QuarantinePage> {
    return this.#service.quarantinePage(job_id, after, limit, signal);
  }

  /** How often something was sent again, by cause: `connection`, `timeout` or a status. */
  get retries(): ReadonlyMap<string, number> {
    return this.#service.retries;
  }

  /** Bytes that wait: in memory, or all that the spool's folder holds. */
  get buffered_bytes(): number {
    return this.#pipeline?.backlog.used_bytes ?? 0;
  }

  #buffered(): Pipeline {
    if (this.#pipeline) return this.#pipeline;
    if (this.#settings.system_id === null) throw new OptionsError("system_id is needed to write readings");
    this.#pipeline = new Pipeline(this.#settings, this.#settings.system_id, this.#service, this.#options);
    return this.#pipeline;
  }
}

function batchJson({ system_id, readings }: Batch): string {
  return `{"system_id":${JSON.stringify(system_id)},"readings":[${readings.map(readingJson).join(",")}]}`;
}

/** What JSON has no number for (NaN, Infinity) becomes null, which the service quarantines. */
function readingJson(reading: Reading): string {
  if (typeof reading === "object" && reading !== null) return JSON.stringify(reading);
  throw new TypeError("a reading must be an object with sensor_id or sensor, timestamp, value and unit");
}
