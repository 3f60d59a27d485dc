/**
 * Reviewers that send batches to be refused, and decide about them whatever happens: in requests and in tasks, through
 * both APIs, step by step. A request without a clear answer is made again; what was asked for twice is done once.
 */
import type { DryRun, ReviewTask } from "../../src/contract/review.ts";
import { type Answer, getRequest, postRequest } from "../bench/http-connection.ts";
import type { DataShape } from "./batches.ts";
import { APIS } from "./kinds.ts";
import type { Ports } from "./producers.ts";
import { sendersTo } from "./producers.ts";
import {
  REVIEW_LANES,
  REVIEW_SYSTEM_ID,
  type ReviewBatch,
  readingsOf,
  reviewBatch,
  type Step,
} from "./review-plan.ts";
import { OddAnswerError, outcomeOf, type Sender } from "./sender.ts";

/** A batch that was accepted, and how far its decisions came. */
export interface ReviewedBatch {
  readonly batch: ReviewBatch;
  readonly job_id: string;
  /** Steps that have been taken. */
  taken: number;
}

export interface ReviewTokens {
  readonly producer: string;
  readonly reviewer: string;
}

const HOST = "127.0.0.1";
const INGEST = "/api/v1/data/ingest";
const QUARANTINE = "/api/v1/quarantine";
/** Answers after which a request is made again. */
const UNCLEAR = [408, 503];
/** Of a batch whose Idempotency-Key is still in the hands of the request before. */
const IN_FLIGHT = [...UNCLEAR, 409];
const AGAIN_MS = 150;
const PAUSE_MS = 200;
/** All that was begun has to be decided so long after the end of the last fault, ms. */
const FINISH_DEADLINE_MS = 60_000;

export class Reviewers {
  #stopping_ms = Number.POSITIVE_INFINITY;
  readonly #lanes: Promise<unknown>;
  readonly batches: ReviewedBatch[] = [];
  readonly counts = { decisions: 0, tasks: 0, again: 0 };
  failure: Error | null = null;

  constructor(
    private readonly shape: DataShape,
    ports: Ports,
    private readonly tokens: ReviewTokens,
  ) {
    const lanes = Array.from({ length: REVIEW_LANES }, (_, lane) => this.#lane(lane, sendersTo(ports)));
    this.#lanes = Promise.all(lanes).catch((error: Error) => {
      this.failure ??= error;
    });
  }

  /** Begin nothing new; resolves when everything begun is decided. @throws {Error} of a lane */
  async stop(): Promise<void> {
    this.#stopping_ms = performance.now();
    await this.#lanes;
    if (this.failure) throw this.failure;
  }

  async #lane(lane: number, senders: Readonly<Record<(typeof APIS)[number], Sender>>): Promise<void> {
    for (let n = 0; this.#stopping_ms === Number.POSITIVE_INFINITY && !this.failure; n += 1) {
      const batch = reviewBatch(this.shape, lane, n);
      let turn = n + lane;
      const ask: Ask = (what, request, unclear = UNCLEAR) =>
        this.#untilClear(`${what} of batch ${n} of reviewer ${lane}`, unclear, () => {
          turn += 1;
          return senders[APIS[turn % APIS.length]!].ask(request);
        });
      await this.#review(batch, ask);
      await Bun.sleep(PAUSE_MS);
    }
    for (const api of APIS) senders[api].close();
  }

  async #review(batch: ReviewBatch, ask: Ask): Promise<void> {
    const { producer } = this.tokens;
    const body = JSON.stringify({ system_id: REVIEW_SYSTEM_ID, readings: readingsOf(this.shape, batch) });
    const headers = { "Idempotency-Key": batch.key };
    const request = postRequest(HOST, INGEST, producer, Buffer.from(body), "application/json", headers);
    const accepted = outcomeOf((await ask("the acceptance", request, IN_FLIGHT)).answer);
    if (accepted.kind !== "accepted") throw new OddAnswerError(`${batch.key}: ${accepted.status}`);
    const reviewed: ReviewedBatch = { batch, job_id: accepted.job_id, taken: 0 };
    this.batches.push(reviewed);
    const path = `/api/v1/jobs/${accepted.job_id}`;
    await this.#until(ask, path, producer, ({ is_completed }: { is_completed: boolean }) => is_completed);
    const selection = batch.byIds
      ? { ids: await this.#idsOf(ask, reviewed) }
      : { filter: { job_id: accepted.job_id } };
    for (const step of batch.steps) {
      const clear = await this.#take(ask, reviewed, step, selection);
      reviewed.taken += 1;
      // A request that nobody heard the end of may still come: the next step could be undone by it.
      if (!clear) return;
    }
  }

  async #idsOf(ask: Ask, { batch, job_id }: ReviewedBatch): Promise<number[]> {
    const list = getRequest(
      HOST,
      `${QUARANTINE}?job_id=${job_id}&limit=${batch.refused}`,
      this.tokens.reviewer,
    );
    const { items } = await jsonOf<{ items: { id: number }[] }>(ask("the list", list));
    if (items.length !== batch.refused)
      throw new OddAnswerError(`job ${job_id} has ${items.length} refused readings, not ${batch.refused}`);
    return items.map(({ id }) => id);
  }

  /** @returns false when an earlier request of the same step had no clear answer */
  async #take(ask: Ask, { batch }: ReviewedBatch, step: Step, selection: object): Promise<boolean> {
    const { action, change, conflict } = step;
    const decision = { action, selection, ...(change && { change }), ...(conflict && { conflict }) };
    const request = (more: object) =>
      postRequest(
        HOST,
        `${QUARANTINE}/actions`,
        this.tokens.reviewer,
        Buffer.from(JSON.stringify({ ...decision, ...more, note: `${batch.key} ${action}` })),
      );
    const foretold = await jsonOf<DryRun>(ask("the dry run", request({ dry_run: true })));
    const { answer, again } = await ask("the decision", request({}));
    if (again > 0) this.counts.again += 1;
    // What nobody heard of had been done.
    if (answer.status === 409 && again > 0) return false;
    if (answer.status !== 200 && answer.status !== 202)
      throw new OddAnswerError(`${action}: ${answer.status}: ${answer.body.slice(0, 400)}`);
    let task = JSON.parse(answer.body) as ReviewTask;
    if (answer.status === 200) this.counts.decisions += 1;
    else {
      this.counts.tasks += 1;
      const path = `${QUARANTINE}/actions/${task.id}`;
      task = await this.#until(
        ask,
        path,
        this.tokens.reviewer,
        (one: ReviewTask) => one.completed_at !== null,
      );
    }
    expectAsForetold(batch, task, foretold, again > 0);
    return again === 0;
  }

  /** Ask until it is so. */
  async #until<T>(ask: Ask, path: string, token: string, isSo: (answer: T) => boolean): Promise<T> {
    for (;;) {
      const found = await jsonOf<T>(ask(path, getRequest(HOST, path, token)));
      if (isSo(found)) return found;
      this.#assertInTime(path);
      await Bun.sleep(AGAIN_MS);
    }
  }

  /** @param what for people */
  async #untilClear(
    what: string,
    unclear: readonly number[],
    send: () => Promise<Answer | null>,
  ): Promise<Clear> {
    for (let again = 0; ; again += 1) {
      const answer = await send();
      if (answer !== null && !unclear.includes(answer.status)) return { answer, again };
      this.#assertInTime(what);
      await Bun.sleep(AGAIN_MS);
    }
  }

  #assertInTime(what: string): void {
    if (this.failure) throw this.failure;
    if (performance.now() - this.#stopping_ms > FINISH_DEADLINE_MS)
      throw new Error(`${what} did not come in ${FINISH_DEADLINE_MS / 1_000} s`);
  }
}

interface Clear {
  readonly answer: Answer;
  /** Requests before it that had no clear answer. */
  readonly again: number;
}
type Ask = (what: string, request: Buffer, unclear?: readonly number[]) => Promise<Clear>;

async function jsonOf<T>(asked: Promise<Clear>): Promise<T> {
  const { answer } = await asked;
  if (answer.status !== 200) throw new OddAnswerError(`${answer.status}: ${answer.body.slice(0, 400)}`);
  return JSON.parse(answer.body) as T;
}

/** @param repeated an earlier request may have done some or all of it @throws {OddAnswerError} */
function expectAsForetold(batch: ReviewBatch, task: ReviewTask, foretold: DryRun, repeated: boolean): void {
  const { would, selected, examined } = foretold;
  const done = task.state === "completed" && Object.keys(task.failing).length === 0;
  const counts = [task.stored, task.replaced, task.withdrawn, task.restored];
  const told = [would.store, would.replace, would.withdraw + would.restore, would.restore];
  const all = selected === batch.refused && task.done === batch.refused;
  const right = examined < selected || Bun.deepEquals(counts, told);
  if (done && (repeated || (all && right))) return;
  throw new OddAnswerError(`foretold ${JSON.stringify(would)}, and it became ${JSON.stringify(task)}`);
}
