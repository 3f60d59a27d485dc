/**
 * Takes batches from the backlog in order and sends each until the service has an answer for it. One batch after
 * the other, or several lanes at once. What the service refuses for good is set aside, so that nothing behind it waits.
 */
import type { Backlog, QueuedBatch } from "./backlog.ts";
import { JobFailedError, RequestRefusedError, RetriesExhaustedError, StoppedError } from "./errors.ts";
import type { Service } from "./service.ts";
import { type Surroundings, Wake } from "./time.ts";
import type { Acceptance, Job } from "./types.ts";

export interface SenderSettings {
  readonly system_id: string;
  /** Batches under way at a time. */
  readonly concurrency: number;
  /** When a batch is acknowledged: with its 202, or when its job has ended. */
  readonly acknowledge: "accepted" | "committed";
  /** Pause after an answer that only people can change, ms. */
  readonly hold_ms: number;
  readonly surroundings: Surroundings;
}

/** What the sender tells. */
export interface SenderEvents {
  accepted(batch: QueuedBatch, acceptance: Acceptance): void;
  ended(batch: QueuedBatch, job: Job): void;
  /** The service will never take it. */
  refused(batch: QueuedBatch, error: RequestRefusedError): void;
  /** Nothing is lost, but somebody should look. */
  problem(error: Error): void;
}

/** How long one request asks the service to wait for the end of its job, s. */
const ASK_WAIT_S = 10;

export class Sender {
  readonly #stop = new AbortController();
  readonly #wake: Wake;
  /** Ended by those who cannot wait for the end of a pause. */
  #pause = new AbortController();
  readonly #under_way = new Set<Promise<void>>();
  #running: Promise<void> | null = null;

  constructor(
    private readonly service: Service,
    private readonly backlog: Backlog,
    private readonly settings: SenderSettings,
    private readonly events: SenderEvents,
  ) {
    this.#wake = new Wake(settings.surroundings.sleep);
  }

  /** Look for batches now: there may be one. The first call starts the sender. */
  wake(): void {
    this.#running ??= this.#run();
    this.#wake.notify();
  }

  /** Try again what is paused. */
  hasten(): void {
    this.#pause.abort();
    this.#pause = new AbortController();
    this.wake();
  }

  /** Ends requests under way; resolves when nothing is. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#pause.abort();
    this.#wake.notify();
    await this.#running;
    await Promise.all(this.#under_way);
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const wait_ms = this.#waitFor_ms();
      if (wait_ms > 0) {
        await this.#wake.wait(wait_ms);
        continue;
      }
      const batch = await this.#orPause(() => this.backlog.next());
      if (batch) this.#start(batch);
    }
  }

  #waitFor_ms(): number {
    if (this.#under_way.size >= this.settings.concurrency) return Number.POSITIVE_INFINITY;
    const due_ms = this.backlog.due_in_ms();
    return Math.max(due_ms, this.service.open_at_ms - this.settings.surroundings.clock.monotonic_ms());
  }

  #start(batch: QueuedBatch): void {
    const work = this.#deliver(batch).finally(() => {
      this.#under_way.delete(work);
      this.#wake.notify();
    });
    this.#under_way.add(work);
  }

  /** Until the batch is settled or the sender is stopped; a stopped one stays in the backlog. */
  async #deliver(batch: QueuedBatch): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const settled = await this.#orPause(async () => {
        await this.#offer(batch);
        await this.backlog.settle(batch);
        return true;
      });
      if (settled) return;
    }
  }

  /** The work's outcome; null when it did not succeed, after a pause and a report. */
  async #orPause<T>(work: () => Promise<T>): Promise<T | null> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof StoppedError) return null;
      const problem = error instanceof Error ? error : new Error(String(error));
      this.events.problem(problem);
      this.backlog.settlement.fail(problem);
      const asked_ms = problem instanceof RetriesExhaustedError ? problem.retry_after_ms : 0;
      const { surroundings, hold_ms } = this.settings;
      await surroundings.sleep(Math.max(hold_ms, asked_ms), this.#pause.signal);
      return null;
    }
  }

  /**
   * @throws {RequestRefusedError} that is not about the batch, {LoginRefusedError} {UnexpectedAnswerError}
   * {RetriesExhaustedError}: the batch is offered again later; {StoppedError}
   */
  async #offer(batch: QueuedBatch): Promise<void> {
    try {
      const acceptance = await this.#send(batch);
      this.events.accepted(batch, acceptance);
      if (this.settings.acknowledge === "committed") await this.#follow(batch, acceptance);
    } catch (error) {
      if (!(error instanceof RequestRefusedError) || !concernsBatch(error)) throw error;
      if (isTooLarge(error) && batch.readings.length > 1) {
        for (const half of halvesOf(batch)) await this.#offer(half);
        return;
      }
      await this.backlog.setAside(batch, error);
      this.events.refused(batch, error);
    }
  }

  #send({ idempotency_key, readings }: QueuedBatch): Promise<Acceptance> {
    const { system_id, acknowledge } = this.settings;
    return this.service.send({
      body: `{"system_id":${JSON.stringify(system_id)},"readings":[${readings.join(",")}]}`,
      idempotency_key,
      readings: readings.length,
      what: `a batch of ${readings.length} readings`,
      signal: this.#stop.signal,
      ...(acknowledge === "committed" ? { wait_s: ASK_WAIT_S } : {}),
    });
  }

  /** A job that fails is told; its payload stays with the service, which lets people replay it. */
  async #follow(batch: QueuedBatch, { job_id, job }: Acceptance): Promise<void> {
    const ended = job ?? (await this.service.waitForJob(job_id, Number.POSITIVE_INFINITY, this.#stop.signal));
    this.events.ended(batch, ended);
    if (ended.status === "failed") this.events.problem(new JobFailedError(job_id, ended.error_message));
  }
}

/**
 * The service itself has looked at the batch and refuses it, in its own words (RFC 9457). Everything else is about
 * the account, the address or what lies between, where every other batch would be refused as well: a gateway that
 * wants a login, a port that speaks TLS, a page instead of an answer.
 */
function concernsBatch(error: RequestRefusedError): boolean {
  if (isTooLarge(error)) return true;
  return [400, 409, 415, 422].includes(error.status) && error.problem.type !== null;
}

/** Too many bytes for the service, or more readings than a whole minute's budget. */
function isTooLarge({ status }: RequestRefusedError): boolean {
  return status === 413 || status === 429;
}

/** Keys made of the batch's own: after a crash the same halves go out under the same keys. */
function halvesOf({ idempotency_key, readings }: QueuedBatch): QueuedBatch[] {
  const middle = Math.ceil(readings.length / 2);
  return [
    { idempotency_key: `${idempotency_key}.1`, readings: readings.slice(0, middle) },
    { idempotency_key: `${idempotency_key}.2`, readings: readings.slice(middle) },
  ];
}
