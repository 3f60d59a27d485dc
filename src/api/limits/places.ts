/**
 * Places for answers that go on for minutes or hours (downloads, event streams): so many in all, and so many of one
 * user, or one user would take them all. Nobody waits for a place: an answer may keep it for as long as it may go on.
 */
import { ProblemError } from "../problem-error.ts";

/** An answer ends at any time, so the client may as well ask again soon. */
const RETRY_AFTER_S = 10;

export interface PlacesSettings {
  /** For the problem: "downloads". */
  readonly what: string;
  readonly all: number;
  readonly of_one_user: number;
}

/** Which of the bounds has refused an answer. */
export type PlacesBound = "user" | "all";

export class Places {
  readonly #ofUsers = new Map<string, number>();
  #taken = 0;

  /** @param onRefused is told of each answer that found no place */
  constructor(
    private readonly settings: PlacesSettings,
    private readonly onRefused: (bound: PlacesBound) => void = () => undefined,
  ) {}

  get taken(): number {
    return this.#taken;
  }

  /** Those who have one. */
  get users(): number {
    return this.#ofUsers.size;
  }

  /**
   * @param user id; all keys and tokens of a user count together
   * @returns gives the place back; more than once is as good as once
   * @throws {ProblemError} too-many-at-once (of this user), server-busy (of all)
   */
  take(user: string): () => void {
    const { what, all, of_one_user } = this.settings;
    const own = this.#ofUsers.get(user) ?? 0;
    if (own >= of_one_user) {
      throw this.#refused("user", `You have ${own} ${what} open, which is as many as a user may have.`);
    }
    if (this.#taken >= all) {
      throw this.#refused("all", `As many ${what} are open (${all}) as this process serves at once.`);
    }
    this.#ofUsers.set(user, own + 1);
    this.#taken += 1;
    let isHeld = true;
    return () => {
      if (isHeld) this.#giveBack(user);
      isHeld = false;
    };
  }

  #giveBack(user: string): void {
    const left = (this.#ofUsers.get(user) ?? 0) - 1;
    if (left > 0) this.#ofUsers.set(user, left);
    else this.#ofUsers.delete(user);
    this.#taken -= 1;
  }

  #refused(bound: PlacesBound, detail: string): ProblemError {
    this.onRefused(bound);
    return new ProblemError(bound === "user" ? "too-many-at-once" : "server-busy", {
      detail,
      headers: { "Retry-After": String(RETRY_AFTER_S) },
    });
  }
}
