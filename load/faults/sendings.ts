/** Batches that faults send in a lane of their own, with the service's answers. */
import { batchOf, type DataShape, type LaneBatch } from "./batches.ts";
import { APIS, type ApiName } from "./kinds.ts";
import { LANES, type Ports } from "./producers.ts";
import { requestOf } from "./requests.ts";
import type { SendLog, SentBatch } from "./send-log.ts";
import { type Outcome, Sender } from "./sender.ts";

const AGAIN_MS = 150;
/** What is sent whole has to be accepted so long after, ms: faults of other parts last that long. */
const ACCEPTED_DEADLINE_MS = 40_000;

/** Batches of these faults are of a lane of their own, so that the producers' go on undisturbed. */
const FAULT_LANE = LANES;

export interface SendingDeps {
  readonly shape: DataShape;
  readonly ports: Ports;
  readonly token: string;
  readonly log: SendLog;
}

/** Sends batches of the fault lane, and notes what was accepted. */
export class Sendings {
  #next = 0;
  /** Accepted batches of the lane, by whether they had a key. */
  readonly accepted: Record<"keyed" | "plain", SentBatch[]> = { keyed: [], plain: [] };

  constructor(readonly deps: SendingDeps) {}

  /** The lane's next batch, with or without a key. */
  next(keyed: boolean): LaneBatch {
    const { shape } = this.deps;
    for (;;) {
      const batch = batchOf(shape, FAULT_LANE, this.#next);
      this.#next += 1;
      if ((batch.key !== null) === keyed) return batch;
    }
  }

  async once(batch: LaneBatch, api: ApiName, send: (sender: Sender, request: Buffer) => Promise<Outcome>) {
    const { shape, ports, token, log } = this.deps;
    const sender = new Sender(() => ports[api]);
    const sent = log.begun(batch);
    try {
      const outcome = await send(sender, requestOf(shape, batch, token));
      log.ended(sent, outcome);
      if (outcome.kind === "accepted") this.#note(batch, sent);
      return outcome;
    } finally {
      sender.close();
    }
  }

  whole(batch: LaneBatch, api: ApiName): Promise<Outcome> {
    return this.once(batch, api, (sender, request) => sender.send(request));
  }

  /** Again until it is accepted; for batches with a key. @throws {Error} when that takes too long */
  async untilAccepted(batch: LaneBatch, api: ApiName): Promise<string> {
    const end = performance.now() + ACCEPTED_DEADLINE_MS;
    for (let turn = APIS.indexOf(api); ; turn += 1) {
      const outcome = await this.whole(batch, APIS[turn % APIS.length]!);
      if (outcome.kind === "accepted") return outcome.job_id;
      if (performance.now() > end)
        throw new Error(`${batch.key} is not accepted: ${JSON.stringify(outcome)}`);
      await Bun.sleep(AGAIN_MS);
    }
  }

  #note(batch: LaneBatch, sent: SentBatch): void {
    const list = this.accepted[batch.key === null ? "plain" : "keyed"];
    if (!list.includes(sent)) list.push(sent);
  }
}
