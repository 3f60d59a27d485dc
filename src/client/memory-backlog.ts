/** Readings wait in memory. What is not acknowledged when the process ends is lost. */
import { randomUUID } from "node:crypto";
import { type Backlog, type BatchPolicy, Filling, type QueuedBatch, Settlement } from "./backlog.ts";
import { Capacity, type CapacitySettings } from "./capacity.ts";
import type { Surroundings } from "./time.ts";

/** What a string costs beside its characters, about, bytes. */
const STRING_BYTES = 32;

export class MemoryBacklog implements Backlog {
  readonly settlement = new Settlement();
  readonly #capacity: Capacity;
  /** Complete, not handed out. */
  readonly #complete: { readonly batch: QueuedBatch; readonly bytes: number; readonly end: number }[] = [];
  readonly #held_bytes = new Map<QueuedBatch, number>();
  #filling: Filling | null = null;
  #readings: string[] = [];
  /** Readings added so far. */
  #end = 0;

  /** @param changed told when `due_in_ms` may have become less */
  constructor(
    private readonly policy: BatchPolicy,
    bound: Omit<CapacitySettings, "what" | "pressed">,
    private readonly clock: Surroundings["clock"],
    private readonly changed: () => void,
  ) {
    this.#capacity = new Capacity({ ...bound, what: "the buffer", pressed: changed });
  }

  get used_bytes(): number {
    return this.#capacity.used_bytes;
  }

  async add(readings: readonly string[], bytes: number): Promise<void> {
    await this.#capacity.take(bytes + readings.length * STRING_BYTES);
    if (this.#filling && !this.#filling.fits(readings.length, bytes)) this.#completeFilling();
    const begins = this.#filling === null;
    this.#filling ??= new Filling(this.policy, this.clock.monotonic_ms());
    this.#filling.add(readings.length, bytes);
    this.#end += readings.length;
    for (const reading of readings) this.#readings.push(reading);
    if (begins || this.#filling.isFull) this.changed();
  }

  due_in_ms(): number {
    if (this.#complete.length > 0) return 0;
    if (!this.#filling) return Number.POSITIVE_INFINITY;
    return this.#capacity.isPressed ? 0 : this.#filling.due_in_ms(this.clock.monotonic_ms());
  }

  async next(): Promise<QueuedBatch | null> {
    if (this.#complete.length === 0) this.#completeFilling();
    const next = this.#complete.shift();
    if (!next) return null;
    this.settlement.handOut(next.batch, next.end);
    this.#held_bytes.set(next.batch, next.bytes);
    return next.batch;
  }

  async settle(batch: QueuedBatch): Promise<void> {
    this.settlement.settle(batch);
    this.#capacity.release(this.#held_bytes.get(batch) ?? 0);
    this.#held_bytes.delete(batch);
  }

  /** The caller is told; there is no other place to keep it. */
  async setAside(): Promise<void> {
    return undefined;
  }

  hasten(): number {
    if (this.#filling) this.#filling.hastened = true;
    this.changed();
    return this.#end;
  }

  refuseWaiting(error: Error): void {
    this.#capacity.refuseWaiting(error);
  }

  async close(): Promise<number> {
    let unsent = this.#end - this.settlement.handed_out;
    for (const { readings } of this.settlement.outstanding) unsent += readings.length;
    return unsent;
  }

  #completeFilling(): void {
    if (!this.#filling) return;
    const batch = { idempotency_key: randomUUID(), readings: this.#readings };
    const bytes = this.#filling.bytes + this.#readings.length * STRING_BYTES;
    this.#complete.push({ batch, bytes, end: this.#end });
    this.#filling = null;
    this.#readings = [];
  }
}
