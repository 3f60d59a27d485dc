/**
 * What this process knows of users, keys and ended tokens. Requests are judged by it alone, in memory; it is read
 * again every second, so a change made anywhere counts here within two. While Postgres is away it stays as it was:
 * nobody is locked out, and who was refused before stays refused.
 */
import type { Clock } from "../../ops/clock.ts";
import { InTurn } from "../../ops/in-turn.ts";
import type { Logger } from "../../ops/log.ts";
import { Polling } from "../../ops/polling.ts";
import { DeadlineError, sleep, withDeadline } from "../../ops/retry.ts";
import type { AccessChanges, AccessStore, KnownKey, KnownUser } from "../../store/access.ts";
import { StoreUnavailableError } from "../../store/errors.ts";

const EVERY_MS = 1_000;
/** Between two looks that requests with something unknown ask for: guessing keys must not load the database. */
const ASKED_EVERY_MS = 250;
/** Everything is read anew after this, so that rows which were deleted by hand go: 10,000 users and keys are 7 MB. */
const WHOLE_EVERY_MS = 3_600_000;
/** Longest wait of a request for a look. */
const LOOK_DEADLINE_MS = 2_000;

export interface RegisterDeps {
  readonly store: Pick<AccessStore, "changes">;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What may have been ended: a token by itself, or with the session that it is of. */
export interface EndableToken {
  readonly id: string;
  readonly session?: { readonly id: string } | null;
}

export class AccessRegister {
  #users = new Map<string, KnownUser>();
  #keys = new Map<string, KnownKey>();
  #ended = new Map<string, number>();
  /** The database's time of the last look. */
  #at: string | null = null;
  #looked_ms = Number.NEGATIVE_INFINITY;
  #whole_ms = Number.NEGATIVE_INFINITY;
  #asked_ms = Number.NEGATIVE_INFINITY;
  /** A look that has not begun. */
  #next: Promise<void> | null = null;
  readonly #looks = new InTurn();
  readonly #listeners = new Set<() => void>();
  readonly #polling: Polling;

  constructor(private readonly deps: RegisterDeps) {
    this.#polling = new Polling({
      every_ms: EVERY_MS,
      read: () => this.refresh(),
      log: deps.log,
      away: "who may is not read any more; what is known counts on",
      back: "who may is read again",
    });
  }

  /** Know everything, and keep knowing it. @throws {StoreUnavailableError} */
  async start(): Promise<void> {
    await this.refresh();
    this.#polling.start();
  }

  async stop(): Promise<void> {
    await this.#polling.stop();
  }

  user(id: string): KnownUser | undefined {
    return this.#users.get(id);
  }

  /** @param prefix how the key begins */
  key(prefix: string): KnownKey | undefined {
    return this.#keys.get(prefix);
  }

  /** True for a token that was ended before its time, by itself or with its session. */
  isEnded({ id, session = null }: EndableToken): boolean {
    return this.#ended.has(id) || (session !== null && this.#ended.has(session.id));
  }

  /** A token or a session was ended here: it counts at once. @param exp seconds since the epoch */
  noteEnd(id: string, exp: number): void {
    this.#ended.set(id, exp);
    this.#tell();
  }

  /** Since the last look, ms; users and keys known. */
  get state(): { readonly age_ms: number; readonly users: number; readonly keys: number } {
    const age_ms = this.deps.clock.monotonic_ms() - this.#looked_ms;
    return { age_ms, users: this.#users.size, keys: this.#keys.size };
  }

  /** Hear of every change. @returns ends it */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Look now: what was committed before the call is known after it. @throws {StoreUnavailableError} */
  refresh(): Promise<void> {
    this.#next ??= this.#looks.run(() => {
      this.#next = null;
      return this.#look();
    });
    return this.#next;
  }

  /**
   * For a request that names what is not known here: it may be a second old. Those who ask at once share a look.
   * @throws {StoreUnavailableError} also when it takes too long
   */
  async lookAgain(): Promise<void> {
    const wait_ms = this.#asked_ms + ASKED_EVERY_MS - this.deps.clock.monotonic_ms();
    if (wait_ms > 0) await sleep(wait_ms, this.#polling.closing);
    if (this.#next === null) this.#asked_ms = this.deps.clock.monotonic_ms();
    try {
      await withDeadline(this.refresh(), LOOK_DEADLINE_MS, "a look at who may");
    } catch (error) {
      if (error instanceof DeadlineError) throw new StoreUnavailableError(error.message, { cause: error });
      throw error;
    }
  }

  async #look(): Promise<void> {
    const begin_ms = this.deps.clock.monotonic_ms();
    const isWhole = this.#at === null || begin_ms - this.#whole_ms > WHOLE_EVERY_MS;
    const changes = await this.deps.store.changes(isWhole ? null : this.#at);
    const changed = isWhole ? this.#replace(changes) : this.#add(changes);
    this.#at = changes.at;
    this.#looked_ms = begin_ms;
    if (isWhole) this.#whole_ms = begin_ms;
    if (changed) this.#tell();
  }

  #replace({ users, keys, ended }: AccessChanges): true {
    this.#users = new Map(users.map((user) => [user.id, sameOr(this.#users.get(user.id), user)]));
    this.#keys = new Map(keys.map((key) => [key.prefix, sameOr(this.#keys.get(key.prefix), key)]));
    // Those that were ended here while this look was on its way are not in it.
    const now_s = this.deps.clock.now_ms() / 1000;
    const noted = [...this.#ended].filter(([, exp]) => exp > now_s);
    this.#ended = new Map([...noted, ...ended.map(({ id, exp }) => [id, exp] as const)]);
    return true;
  }

  /** False when nothing is new: the looks overlap. */
  #add({ users, keys, ended }: AccessChanges): boolean {
    let changed = false;
    const put = <T extends { readonly changed_at: string }>(into: Map<string, T>, name: string, item: T) => {
      if (into.get(name)?.changed_at === item.changed_at) return;
      into.set(name, item);
      changed = true;
    };
    for (const user of users) put(this.#users, user.id, user);
    for (const key of keys) put(this.#keys, key.prefix, key);
    for (const { id, exp } of ended) {
      changed ||= !this.#ended.has(id);
      this.#ended.set(id, exp);
    }
    return changed;
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

/** The known object while it says the same: claims made from it are kept. */
function sameOr<T extends { readonly changed_at: string }>(known: T | undefined, item: T): T {
  return known?.changed_at === item.changed_at ? known : item;
}
