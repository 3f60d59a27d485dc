/** The buffered way: backlog and sender, and what has become of everything since the last flush. */
import type { Backlog, QueuedBatch } from "./backlog.ts";
import { ClosedError, FlushDeadlineError, NotAcceptedError, UnsentError } from "./errors.ts";
import { MemoryBacklog } from "./memory-backlog.ts";
import type { BatchInfo, ClientEvents, Settings } from "./options.ts";
import { Sender } from "./sender.ts";
import type { Service } from "./service.ts";
import { SpoolBacklog } from "./spool/spool-backlog.ts";
import type { Reading } from "./types.ts";

export interface FlushOptions {
  readonly deadline_ms: number;
  readonly signal?: AbortSignal | undefined;
}

export class Pipeline {
  readonly backlog: Backlog;
  readonly #sender: Sender;
  /** Writes that are not taken yet. */
  readonly #writing = new Set<Promise<void>>();
  /** Refused for good since the last flush. */
  #refused = { batches: 0, readings: 0, first: null as Error | null };

  /** @throws {SpoolLockedError} {SpoolWriteError} {OptionsError} */
  constructor(
    private readonly settings: Settings,
    system_id: string,
    private readonly service: Service,
    private readonly events: ClientEvents,
  ) {
    const { batch, buffer, spool, surroundings, concurrency, acknowledge, retry } = settings;
    const changed = () => this.#sender.wake();
    const problem = (error: Error) => this.#problem(error);
    this.backlog = spool
      ? new SpoolBacklog({ policy: batch, buffer, spool, system_id, surroundings, changed, problem })
      : new MemoryBacklog(batch, buffer, surroundings.clock, changed);
    const settings_of_sender = {
      system_id,
      concurrency,
      acknowledge,
      hold_ms: retry.max_backoff_ms,
      surroundings,
    };
    this.#sender = new Sender(service, this.backlog, settings_of_sender, {
      problem,
      accepted: (queued, acceptance) => tell(events.onAccepted, infoOf(queued), acceptance),
      ended: (queued, job) => tell(events.onEnded, infoOf(queued), job),
      refused: (queued, error) => {
        this.#refused.batches += 1;
        this.#refused.readings += queued.readings.length;
        this.#refused.first ??= error;
        if (events.onRefused) tell(events.onRefused, infoOf(queued), error, () => readingsOf(queued));
        else this.#problem(error);
      },
    });
    if (spool) this.#sender.wake();
  }

  /** @param readings JSON of each. @throws {BufferFullError} {SpoolWriteError} */
  async write(readings: readonly string[]): Promise<void> {
    const work = this.#takeIn(readings);
    this.#writing.add(work);
    try {
      await work;
    } finally {
      this.#writing.delete(work);
    }
  }

  /** In slices that one batch can hold. */
  async #takeIn(readings: readonly string[]): Promise<void> {
    const { max_readings, max_bytes } = this.settings.batch;
    let slice: string[] = [];
    let bytes = 0;
    for (const reading of readings) {
      const more = Buffer.byteLength(reading) + 1;
      if (slice.length === max_readings || (slice.length > 0 && bytes + more > max_bytes)) {
        await this.backlog.add(slice, bytes);
        slice = [];
        bytes = 0;
      }
      slice.push(reading);
      bytes += more;
    }
    if (slice.length > 0) await this.backlog.add(slice, bytes);
  }

  /** @throws {FlushDeadlineError} {NotAcceptedError} and what keeps the sender from getting on */
  async flush({ deadline_ms, signal }: FlushOptions): Promise<void> {
    const { surroundings } = this.settings;
    const over = new AbortController();
    const stop = () => over.abort(signal?.reason);
    if (signal?.aborted) stop();
    signal?.addEventListener("abort", stop, { once: true });
    const late = () => over.abort(new FlushDeadlineError(deadline_ms, this.service.last_trouble));
    const timer = new AbortController();
    void surroundings.sleep(deadline_ms, timer.signal).then(late);
    try {
      await this.#writesTaken(over.signal);
      const target = this.backlog.hasten();
      this.#sender.hasten();
      await this.backlog.settlement.reach(target, over.signal);
    } finally {
      timer.abort();
      signal?.removeEventListener("abort", stop);
    }
    this.#throwRefused();
  }

  /** @throws {UnsentError} {NotAcceptedError} */
  async close(deadline_ms: number): Promise<void> {
    let trouble: unknown = null;
    await this.flush({ deadline_ms }).catch((error: unknown) => {
      trouble = error;
    });
    this.backlog.refuseWaiting(new ClosedError());
    await this.#sender.stop();
    this.backlog.settlement.fail(new ClosedError());
    await Promise.allSettled(this.#writing);
    const given_up = await this.backlog.close();
    if (given_up > 0) throw new UnsentError(given_up, trouble);
    if (trouble instanceof NotAcceptedError) throw trouble;
  }

  /** Writes that wait for room are part of "written so far", and get their room while batches are sent. */
  async #writesTaken(signal: AbortSignal): Promise<void> {
    if (this.#writing.size === 0) return;
    this.backlog.hasten();
    this.#sender.hasten();
    const taken = Promise.allSettled(this.#writing);
    await new Promise<void>((resolve, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
      void taken.then(() => resolve());
    });
  }

  #throwRefused(): void {
    const { batches, readings, first } = this.#refused;
    if (first === null) return;
    this.#refused = { batches: 0, readings: 0, first: null };
    throw new NotAcceptedError(batches, readings, first);
  }

  #problem(error: Error): void {
    if (this.events.onProblem) tell(this.events.onProblem, error);
    else process.emitWarning(error.message, { type: "HydraulicClientWarning", code: error.name });
  }
}

/** What a callback throws must neither end the sender nor be lost: it becomes an uncaught exception. */
function tell<T extends unknown[]>(callback: ((...args: T) => void) | undefined, ...args: T): void {
  if (callback) queueMicrotask(() => callback(...args));
}

function infoOf({ idempotency_key, readings }: QueuedBatch): BatchInfo {
  return { idempotency_key, readings: readings.length };
}

function readingsOf({ readings }: QueuedBatch): Reading[] {
  return readings.map((reading) => JSON.parse(reading) as Reading);
}
