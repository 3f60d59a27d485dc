/** Producers that send at a steady pace whatever happens, and never lose a reading of theirs. */
import { batchOf, type DataShape, type LaneBatch, WINDOW_MS } from "./batches.ts";
import { APIS, type ApiName } from "./kinds.ts";
import { requestOf } from "./requests.ts";
import type { SendLog } from "./send-log.ts";
import { type Outcome, Sender } from "./sender.ts";

export const LANES = 6;
/** Batches a second of one lane. */
export const PACE = 4;
const AGAIN_MS = 150;
/** Of so many batches one is followed to its end. */
const FOLLOW_EACH = 4;
/** All that was begun has to be accepted so long after the end of the last fault, ms. */
const FINISH_DEADLINE_MS = 60_000;

/** Where an API is to be reached; the port stays the same over its lives. */
export type Ports = Readonly<Record<ApiName, number>>;

export class Producers {
  #stopping_ms = Number.POSITIVE_INFINITY;
  readonly #lanes: Promise<void>;
  /** When each API accepted something last, monotonic ms. */
  readonly accepted_ms: Record<ApiName, number> = { "api-1": 0, "api-2": 0 };
  failure: Error | null = null;

  constructor(
    private readonly shape: DataShape,
    private readonly ports: Ports,
    private readonly token: string,
    private readonly log: SendLog,
  ) {
    const lanes = Array.from({ length: LANES }, (_, lane) => this.#lane(lane));
    this.#lanes = Promise.all(lanes).then(
      () => undefined,
      (error: Error) => {
        this.failure ??= error;
      },
    );
  }

  /** Begin nothing new; resolves when everything begun has been accepted or given up. @throws {Error} of a lane */
  async stop(): Promise<void> {
    this.#stopping_ms = performance.now();
    await this.#lanes;
    if (this.failure) throw this.failure;
  }

  async #lane(lane: number): Promise<void> {
    const senders = sendersTo(this.ports);
    const begin = performance.now() + (lane * 1_000) / PACE / LANES;
    for (let n = 0; this.#stopping_ms === Number.POSITIVE_INFINITY && !this.failure; n += 1) {
      const wait_ms = begin + (n * 1_000) / PACE - performance.now();
      if (wait_ms > 0) await Bun.sleep(wait_ms);
      await this.#deliver(batchOf(this.shape, lane, n), senders);
      if (n % FOLLOW_EACH === 0 && n > 0) await this.#follow(lane, n - 1, senders);
    }
    for (const api of APIS) senders[api].close();
  }

  async #deliver(batch: LaneBatch, senders: Readonly<Record<ApiName, Sender>>): Promise<void> {
    const request = requestOf(this.shape, batch, this.token);
    for (let turn = batch.n + batch.lane; ; turn += 1) {
      const api = APIS[turn % APIS.length]!;
      const outcome = await this.#send(batch, request, api, senders[api]);
      if (outcome.kind === "accepted") return;
      if (outcome.kind === "unknown" && batch.key === null && !batch.insists) return;
      if (performance.now() - this.#stopping_ms > FINISH_DEADLINE_MS)
        throw new Error(`batch ${batch.n} of lane ${batch.lane} is not accepted: ${JSON.stringify(outcome)}`);
      if (this.failure) return;
      await Bun.sleep(AGAIN_MS);
    }
  }

  /** By the API that did not take it, as often as not. */
  async #follow(lane: number, n: number, senders: Readonly<Record<ApiName, Sender>>): Promise<void> {
    const sent = this.log.sentOf({ lane, n });
    for (const job_id of sent.jobs.keys()) {
      const api = APIS[(n >> 2) % APIS.length]!;
      const end = await senders[api].endOf(job_id, this.token);
      if (end !== null) sent.ends.set(job_id, end);
    }
  }

  async #send(batch: LaneBatch, request: Buffer, api: ApiName, sender: Sender): Promise<Outcome> {
    const sent = this.log.begun(batch);
    const outcome = await sender.send(request);
    this.log.ended(sent, outcome);
    if (outcome.kind === "accepted") this.accepted_ms[api] = performance.now();
    return outcome;
  }
}

export const sendersTo = (ports: Ports): Readonly<Record<ApiName, Sender>> => ({
  "api-1": new Sender(() => ports["api-1"]),
  "api-2": new Sender(() => ports["api-2"]),
});

/** The day that times begin at, so that a lane of so many faults ends before today; ms since the epoch. */
export function originOf(day_ms: number, faults: number): number {
  // Two seconds a fault on average, and thrice that to be safe; a day more for the longest run below it.
  const most_ms = faults * 6 * PACE * WINDOW_MS;
  return day_ms - Math.ceil(most_ms / 86_400_000 + 1) * 86_400_000;
}
