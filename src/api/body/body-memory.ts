/** Bounds the bytes that all bodies in work hold together: many large bodies at once are refused, not swapped. */
import { ProblemError } from "../problem-error.ts";

const RETRY_AFTER_S = 1;

/** What one request holds. */
export interface BodyHold {
  /** Hold more. @throws {ProblemError} server-busy when all bodies together would be over the bound */
  grow(bytes: number): void;
  /** Give all of it back; call once, when the body is no longer referred to. */
  release(): void;
}

export class BodyMemory {
  #held_bytes = 0;

  /** @param max_bytes for all bodies in work together */
  constructor(readonly max_bytes: number) {}

  /** Bytes held at the moment. */
  get held_bytes(): number {
    return this.#held_bytes;
  }

  /** A hold of nothing yet. */
  open(): BodyHold {
    let own_bytes = 0;
    return {
      grow: (bytes) => {
        if (this.#held_bytes + bytes > this.max_bytes) {
          throw new ProblemError("server-busy", {
            detail: "The bodies of the requests in work leave no memory for this one.",
            headers: { "Retry-After": String(RETRY_AFTER_S) },
          });
        }
        this.#held_bytes += bytes;
        own_bytes += bytes;
      },
      release: () => {
        this.#held_bytes -= own_bytes;
        own_bytes = 0;
      },
    };
  }
}
