/**
 * What the dispatcher has in hand: for each webhook a lane of deliveries that wait, that are being sent, and that
 * ended but are not written down yet. No I/O. A lane is filled ahead, so that a receiver which answers quickly gets
 * the next message at once; its rows are only a moment old, because what they say of the webhook may change.
 */
import type { DueDelivery } from "../store/webhooks/dispatch.ts";

interface Lane {
  readonly waiting: DueDelivery[];
  sending: number;
  /** When it was filled. */
  filled_ms: number;
}

export interface LaneBounds {
  /** Messages that are sent at once. */
  readonly all: number;
  /** Age after which rows that wait are read anew, ms. */
  readonly stale_ms: number;
}

export class Lanes {
  readonly #lanes = new Map<string, Lane>();
  /** Ids of everything in hand. */
  readonly #ids = new Set<string>();
  #sending = 0;

  constructor(private readonly bounds: LaneBounds) {}

  /** Ids of deliveries that must not be taken again. */
  get inHand(): ReadonlySet<string> {
    return this.#ids;
  }

  /** Put rows that were just read to the others of their webhooks. */
  add(deliveries: readonly DueDelivery[], now_ms: number): void {
    for (const delivery of deliveries) {
      if (this.#ids.has(delivery.id)) continue;
      const { webhook_id } = delivery;
      const lane = this.#lanes.get(webhook_id) ?? { waiting: [], sending: 0, filled_ms: now_ms };
      if (lane.waiting.length === 0) lane.filled_ms = now_ms;
      lane.waiting.push(delivery);
      this.#lanes.set(webhook_id, lane);
      this.#ids.add(delivery.id);
    }
  }

  /** What may be sent now, taken in turns from the lanes; it counts as being sent from then on. */
  *ready(): Generator<DueDelivery> {
    for (let found = true; found; ) {
      found = false;
      for (const [webhook_id, lane] of [...this.#lanes]) {
        if (this.#sending >= this.bounds.all) return;
        const [next] = lane.waiting;
        if (!next || lane.sending >= next.at_once) continue;
        lane.waiting.shift();
        lane.sending += 1;
        this.#sending += 1;
        // To the end of the line: whoever comes first must not be served alone.
        this.#lanes.delete(webhook_id);
        this.#lanes.set(webhook_id, lane);
        found = true;
        yield next;
      }
    }
  }

  /** A message is not being sent any more; it stays in hand until `forget`. @param isGood else what waits is read anew */
  ended({ webhook_id }: DueDelivery, isGood: boolean): void {
    const lane = this.#lanes.get(webhook_id);
    if (!lane) return;
    lane.sending -= 1;
    this.#sending -= 1;
    if (!isGood) this.#empty(lane);
    if (lane.sending === 0 && lane.waiting.length === 0) this.#lanes.delete(webhook_id);
  }

  /** What became of it is written down, or it was given up: it may be taken again. */
  forget(id: string): void {
    this.#ids.delete(id);
  }

  /** Let go of rows that have waited for so long that they may be out of date. */
  dropStale(now_ms: number): void {
    for (const lane of this.#lanes.values()) {
      if (now_ms - lane.filled_ms > this.bounds.stale_ms) this.#empty(lane);
    }
  }

  /** Let go of everything that waits. */
  clear(): void {
    for (const lane of this.#lanes.values()) this.#empty(lane);
  }

  #empty(lane: Lane): void {
    for (const { id } of lane.waiting.splice(0)) this.#ids.delete(id);
  }
}
