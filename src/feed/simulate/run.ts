/**
 * Sends the batches of a plan on its schedule and follows every job to its end. Open loop: a slow service does
 * not slow the schedule. Batches that could not be sent in time are sent as soon as a lane is free, and how
 * late they were is reported.
 */
import {
  type HydraulicClient,
  LoginRefusedError,
  StoppedError,
  type Surroundings,
} from "../../client/index.ts";
import { isFeedError } from "../errors.ts";
import { Lanes } from "../lanes.ts";
import { reasonOf } from "../options.ts";
import { type PlannedBatch, SimulatedBatches, type SimulationPlan } from "./batches.ts";
import { Tally } from "./tally.ts";

export interface SimulationRun {
  readonly plan: SimulationPlan;
  /** One for each user of the plan. */
  readonly clients: readonly HydraulicClient[];
  /** Sends under way at a time. */
  readonly concurrency: number;
  /** How long after its acceptance a job may take, ms. */
  readonly wait_ms: number;
  /** How long sends under way may take once `stop` has fired, ms. */
  readonly grace_ms: number;
  /** Keeps the Idempotency-Keys of this run apart from those of others. */
  readonly run_id: string;
  readonly surroundings: Surroundings;
  readonly stop: AbortSignal;
  readonly abandon: AbortSignal;
}

/** Jobs that are polled at a time; the rest waits in order of acceptance. */
const FOLLOWED_JOBS = 8;

export class Simulation {
  readonly tally = new Tally();
  readonly #run: SimulationRun;
  readonly #batches: SimulatedBatches;
  readonly #sending: Lanes;
  readonly #following = new Lanes(FOLLOWED_JOBS);
  /** Ends sends and polls: the second Ctrl-C, or the end of the grace after the first, or a refused login. */
  readonly #end = new AbortController();
  #begun_ms = 0;

  constructor(run: SimulationRun) {
    this.#run = run;
    this.#batches = new SimulatedBatches(run.plan);
    this.#sending = new Lanes(run.concurrency);
  }

  /** Since the first batch was scheduled, ms. */
  elapsed_ms(): number {
    return this.#run.surroundings.clock.monotonic_ms() - this.#begun_ms;
  }

  /**
   * Run to the end of the plan or until `stop`. Batches that were lost are in the tally, not thrown.
   * @throws {LoginRefusedError} {RetriesExhaustedError} when a user cannot log in at the start
   */
  async run(): Promise<Tally> {
    const { stop, abandon, clients, clock } = { ...this.#run, clock: this.#run.surroundings.clock };
    const end = () => this.#end.abort();
    let grace: NodeJS.Timeout | undefined;
    const stopping = () => {
      grace = setTimeout(end, this.#run.grace_ms);
    };
    abandon.addEventListener("abort", end, { once: true });
    stop.addEventListener("abort", stopping, { once: true });
    try {
      await Promise.all(clients.map((client) => client.login(AbortSignal.any([stop, this.#end.signal]))));
      this.#begun_ms = clock.monotonic_ms();
      await this.#sendAll();
      await this.#sending.idle();
      await this.#following.idle();
      return this.tally;
    } finally {
      clearTimeout(grace);
      abandon.removeEventListener("abort", end);
      stop.removeEventListener("abort", stopping);
    }
  }

  async #sendAll(): Promise<void> {
    const { stop, surroundings } = this.#run;
    for (;;) {
      const batch = this.#batches.next();
      if (!batch) return;
      await surroundings.sleep(Math.max(0, batch.due_ms - this.elapsed_ms()), stop);
      if (stop.aborted || this.#end.signal.aborted) return;
      await this.#sending.start(async () => {
        // A lane may have come free long after the stop.
        if (!stop.aborted) await this.#send(batch);
      });
    }
  }

  async #send(batch: PlannedBatch): Promise<void> {
    const client = this.#run.clients[batch.user]!;
    this.tally.sent(batch, Math.max(0, this.elapsed_ms() - batch.due_ms));
    try {
      const acceptance = await client.send(batch.body, {
        idempotency_key: `simulate-${this.#run.run_id}-${batch.number}`,
        label: `batch ${batch.number}`,
        signal: this.#end.signal,
      });
      this.tally.accepted(batch, acceptance);
      const deadline_ms = this.elapsed_ms() + this.#run.wait_ms;
      // Not awaited: following jobs must not hold up the schedule. `idle` waits for all of them.
      void this.#following.start(() => this.#follow(batch, client, acceptance.job_id, deadline_ms));
    } catch (error) {
      this.#lost(batch, error);
    }
  }

  async #follow(
    batch: PlannedBatch,
    client: HydraulicClient,
    job_id: string,
    deadline_ms: number,
  ): Promise<void> {
    const signal = this.#end.signal;
    try {
      const left_ms = Math.max(0, deadline_ms - this.elapsed_ms());
      const job = await client.waitForJob(job_id, { deadline_ms: left_ms, signal });
      const refused = job.quarantined_readings > 0;
      const reasons = refused ? (await client.quarantinePage(job_id, null, { limit: 1, signal })).counts : {};
      this.tally.ended(batch, job, reasons);
    } catch (error) {
      this.#lost(batch, error);
    }
  }

  /** A batch whose fate is unknown makes a count of the tally not add up; the reason is told beside it. */
  #lost(batch: PlannedBatch, error: unknown): void {
    if (!isFeedError(error)) throw error;
    if (!(error instanceof StoppedError)) this.tally.problem(`batch ${batch.number}: ${reasonOf(error)}`);
    // Without a login nothing that follows can work either.
    if (error instanceof LoginRefusedError) this.#end.abort();
  }
}
