/** What is between a write and its acknowledgement: in memory, or in a spool on disk. */

/** A batch on its way. */
export interface QueuedBatch {
  readonly idempotency_key: string;
  /** JSON of each reading. */
  readonly readings: readonly string[];
}

/** When a batch is complete. The first bound that is reached decides. */
export interface BatchPolicy {
  readonly max_readings: number;
  /** Of the readings' JSON. */
  readonly max_bytes: number;
  /** How long a reading may wait for others. */
  readonly max_age_ms: number;
}

export interface Backlog {
  readonly settlement: Settlement;
  /** Bytes held: in memory, or on disk with all that the folder keeps. */
  readonly used_bytes: number;
  /**
   * Take readings in; resolves when they are kept. At most as many as one batch takes.
   * @throws {BufferFullError} {SpoolWriteError}
   */
  add(readings: readonly string[], bytes: number): Promise<void>;
  /** How long until there is a batch to send, ms; 0 now, Infinity when there is nothing. */
  due_in_ms(): number;
  /** The next batch in order, or null. Not called again before it has answered. */
  next(): Promise<QueuedBatch | null>;
  /** The batch is done with: acknowledged, or set aside. */
  settle(batch: QueuedBatch): Promise<void>;
  /** Keep a batch, or part of one, that the service refused for good. */
  setAside(refused: QueuedBatch, error: Error): Promise<void>;
  /** All that was added is due now. @returns the position that `settlement` reaches when it is settled */
  hasten(): number;
  /** Nobody waits for room any longer. */
  refuseWaiting(error: Error): void;
  /** @returns readings given up: those in memory alone */
  close(): Promise<number>;
}

/** What has gathered for a batch. */
export class Filling {
  readings = 0;
  bytes = 0;
  /** Someone waits for it. */
  hastened = false;

  constructor(
    private readonly policy: BatchPolicy,
    private readonly begun_ms: number,
  ) {}

  copy(): Filling {
    const copy = new Filling(this.policy, this.begun_ms);
    return Object.assign(copy, { readings: this.readings, bytes: this.bytes, hastened: this.hastened });
  }

  /** So much more is still within the policy. */
  fits(readings: number, bytes: number): boolean {
    const { max_readings, max_bytes } = this.policy;
    return this.readings + readings <= max_readings && this.bytes + bytes <= max_bytes;
  }

  add(readings: number, bytes: number): void {
    this.readings += readings;
    this.bytes += bytes;
  }

  get isFull(): boolean {
    return !this.fits(1, 0);
  }

  /** 0: the batch is to be sent now. */
  due_in_ms(now_ms: number): number {
    if (this.hastened || this.isFull) return 0;
    return Math.max(0, this.begun_ms + this.policy.max_age_ms - now_ms);
  }
}

/** How far everything is settled, as a position that grows with what is added. */
export class Settlement {
  /** Handed out and not settled, in order. */
  readonly #outstanding = new Map<QueuedBatch, number>();
  #handed_out = 0;
  readonly #waiting = new Set<{ target: number; resolve: () => void; reject: (error: Error) => void }>();

  /** Everything before it is settled. */
  get position(): number {
    for (const start of this.#outstanding.values()) return start;
    return this.#handed_out;
  }

  /** Everything before it was handed out. */
  get handed_out(): number {
    return this.#handed_out;
  }

  /** Batches handed out and not settled. */
  get outstanding(): Iterable<QueuedBatch> {
    return this.#outstanding.keys();
  }

  /** The next batch goes out; it lies before `end`. */
  handOut(batch: QueuedBatch, end: number): void {
    this.#outstanding.set(batch, this.#handed_out);
    this.#handed_out = end;
  }

  /** There is nothing to hand out before `position`. */
  skipTo(position: number): void {
    this.#handed_out = Math.max(this.#handed_out, position);
    this.#tell();
  }

  settle(batch: QueuedBatch): void {
    this.#outstanding.delete(batch);
    this.#tell();
  }

  /**
   * Resolves when everything before `target` is settled.
   * @throws what `fail` is given, or the signal's reason when it fires
   */
  async reach(target: number, signal: AbortSignal): Promise<void> {
    if (this.position >= target) return;
    signal.throwIfAborted();
    await new Promise<void>((resolve, reject) => {
      const waiter = { target, resolve, reject };
      this.#waiting.add(waiter);
      signal.addEventListener(
        "abort",
        () => {
          if (this.#waiting.delete(waiter)) reject(signal.reason);
        },
        { once: true },
      );
    });
  }

  /** Nothing gets on until something else changes: all who wait are told. */
  fail(error: Error): void {
    for (const { reject } of this.#waiting) reject(error);
    this.#waiting.clear();
  }

  #tell(): void {
    const position = this.position;
    for (const waiter of this.#waiting) {
      if (waiter.target > position) continue;
      this.#waiting.delete(waiter);
      waiter.resolve();
    }
  }
}
