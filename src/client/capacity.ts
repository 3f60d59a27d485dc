/** A bound in bytes: what does not fit waits in order, or is refused. */
import { BufferFullError } from "./errors.ts";

/** `wait`: the promise of a write waits for room; `throw`: it is rejected with {BufferFullError} at once. */
export type WhenFull = "wait" | "throw";

export interface CapacitySettings {
  /** For messages: "the buffer", "the spool /var/…". */
  readonly what: string;
  readonly max_bytes: number;
  readonly when_full: WhenFull;
  /** Writes that may wait at a time; further ones are refused, or they would be a buffer without a bound. */
  readonly max_waiting: number;
  /** Told when somebody begins to wait. */
  readonly pressed: () => void;
}

export class Capacity {
  #used_bytes = 0;
  readonly #waiting: { bytes: number; admit: () => void; refuse: (error: Error) => void }[] = [];

  constructor(private readonly settings: CapacitySettings) {}

  get used_bytes(): number {
    return this.#used_bytes;
  }

  /** Somebody waits for room. */
  get isPressed(): boolean {
    return this.#waiting.length > 0;
  }

  /** Resolves when the room is taken; first come, first served. @throws {BufferFullError} */
  async take(bytes: number): Promise<void> {
    const { what, max_bytes, when_full, max_waiting } = this.settings;
    if (bytes > max_bytes) throw new BufferFullError(`${bytes} bytes never fit into ${what} of ${max_bytes}`);
    if (this.#waiting.length === 0 && this.#used_bytes + bytes <= max_bytes) {
      this.#used_bytes += bytes;
      return;
    }
    const full = `${what} is full (${this.#used_bytes} of ${max_bytes} bytes)`;
    if (when_full === "throw") throw new BufferFullError(full);
    if (this.#waiting.length >= max_waiting) {
      throw new BufferFullError(`${full}, and ${max_waiting} writes wait for room: await each write`);
    }
    const admitted = new Promise<void>((admit, refuse) => this.#waiting.push({ bytes, admit, refuse }));
    this.settings.pressed();
    return admitted;
  }

  /** Give room back, or (negative) take it without asking. */
  release(bytes: number): void {
    this.#used_bytes -= bytes;
    for (let first = this.#waiting[0]; first; first = this.#waiting[0]) {
      if (this.#used_bytes + first.bytes > this.settings.max_bytes) return;
      this.#waiting.shift();
      this.#used_bytes += first.bytes;
      first.admit();
    }
  }

  /** Nobody waits any longer. */
  refuseWaiting(error: Error): void {
    for (const { refuse } of this.#waiting.splice(0)) refuse(error);
  }
}
