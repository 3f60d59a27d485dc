/**
 * The life of a thread: read, prepare, commit, settle. While one group is being written, the next is read and
 * prepared; there is never more than that in hand. Ends when it is told to drain.
 */
import type { RuleSettings } from "../contract/rules.ts";
import type { Clock } from "../ops/clock.ts";
import type { Logger } from "../ops/log.ts";
import { Backoff, sleep } from "../ops/retry.ts";
import { StoreUnavailableError } from "../store/errors.ts";
import type { JobStore } from "../store/jobs.ts";
import type { WriterSessions } from "../store/sessions.ts";
import type { SystemCache } from "../store/systems.ts";
import type { Writer } from "../store/writer.ts";
import { StreamUnavailableError } from "../stream/connection.ts";
import { bodySize, type StreamConsumer, type StreamEntry } from "../stream/consumer.ts";
import { BatchPolicy } from "./batch-policy.ts";
import { type Delivery, decode, type PreparedGroup, prepare } from "./group.ts";
import type { FromThread } from "./messages.ts";
import { Settlement } from "./settlement.ts";

export interface PipelineDeps {
  readonly consumer: StreamConsumer;
  readonly writer: Writer;
  readonly jobs: JobStore;
  readonly sessions: WriterSessions;
  readonly systems: SystemCache;
  readonly rules: RuleSettings;
  readonly clock: Clock;
  readonly log: Logger;
  /** Silence after which other consumers claim an entry, ms. */
  readonly claim_idle_ms: number;
  readonly predecessor: string | null;
  readonly tell: (message: FromThread) => void;
}

/** Wait for the first new entry, ms; also how long a drain may have to wait for an idle reader. */
const BLOCK_MS = 500;
const CLAIM_COUNT = 16;
/** Attempts to decode and check an entry that killed a thread before. */
const MAX_FATAL_ATTEMPTS = 3;

export class Pipeline {
  readonly #policy = new BatchPolicy();
  readonly #settlement: Settlement;
  readonly #inHand = new Set<StreamEntry>();
  readonly #stop = new AbortController();
  readonly #giveUp = new AbortController();
  #lastClaim_ms = Number.NEGATIVE_INFINITY;
  #predecessor: string | null;

  constructor(private readonly deps: PipelineDeps) {
    this.#predecessor = deps.predecessor;
    this.#settlement = new Settlement(deps, this.#giveUp.signal);
  }

  /** Entries read and not settled. */
  get inHand(): number {
    return this.#inHand.size;
  }

  /** Read nothing new, finish what is in hand; give the rest up after `deadline_ms`. */
  drain(deadline_ms: number): void {
    this.#stop.abort();
    const timer = setTimeout(() => this.#giveUp.abort(), deadline_ms);
    this.#giveUp.signal.addEventListener("abort", () => clearTimeout(timer));
  }

  /** Resolves when drained. */
  async run(): Promise<void> {
    const keeper = setInterval(() => void this.#keep(), this.deps.claim_idle_ms / 3);
    try {
      await this.#retrying("the consumer group", () => this.deps.consumer.ensureGroups());
      let writing: Promise<void> = Promise.resolve();
      while (!this.#stop.signal.aborted) {
        const entries = await this.#next();
        const groups = await this.#prepare(entries);
        await writing;
        writing = this.#write(entries, groups);
      }
      await writing;
    } finally {
      clearInterval(keeper);
      this.#giveUp.abort();
    }
  }

  /** Claimed entries first, when it is time to look for them; else new ones. */
  async #next(): Promise<StreamEntry[]> {
    const entries = await this.#retrying("the stream", async () => {
      const claimed = await this.#claim();
      return claimed.length > 0 ? claimed : await this.deps.consumer.read(this.#policy.count, BLOCK_MS);
    });
    for (const entry of entries ?? []) this.#inHand.add(entry);
    return entries ?? [];
  }

  async #claim(): Promise<StreamEntry[]> {
    const { consumer, clock, claim_idle_ms } = this.deps;
    if (this.#predecessor !== null) {
      const left = await consumer.claimFrom(this.#predecessor, CLAIM_COUNT);
      if (left.length > 0) return left;
      await consumer.retire(this.#predecessor);
      this.#predecessor = null;
    }
    if (clock.monotonic_ms() - this.#lastClaim_ms < claim_idle_ms / 3) return [];
    const idle = await consumer.claimIdle(claim_idle_ms, CLAIM_COUNT);
    if (idle.length > 0) return idle;
    this.#lastClaim_ms = clock.monotonic_ms();
    await consumer.retireSilent(claim_idle_ms * 20);
    return [];
  }

  /** Entries that nobody began before go together; those of a dead consumer go one by one. */
  async #prepare(entries: readonly StreamEntry[]): Promise<PreparedGroup[]> {
    const groups: PreparedGroup[] = [];
    const fresh = entries.filter((entry) => !entry.redelivered);
    const group = await this.#decodeAndCheck(fresh);
    if (group) groups.push(group);
    await this.#endSessions(entries);
    for (const entry of entries.filter((e) => e.redelivered)) {
      const suspect = await this.#prepareSuspect(entry);
      if (suspect) groups.push(suspect);
    }
    return groups;
  }

  /** Those who had the entries before may be frozen in a transaction that holds their keys. */
  async #endSessions(entries: readonly StreamEntry[]): Promise<void> {
    const silent = [...new Set(entries.flatMap(({ heldBy }) => heldBy ?? []))];
    if (silent.length === 0) return;
    const ended = await this.#retrying("ending sessions", () => this.deps.sessions.end(silent));
    this.deps.log.warn({ silent, entries: entries.length, sessions: ended }, "took over entries");
  }

  /** An entry whose consumer died may be what killed it: attempts are counted where a crash cannot hide them. */
  async #prepareSuspect(entry: StreamEntry): Promise<PreparedGroup | null> {
    const { consumer } = this.deps;
    const attempts = await this.#retrying("counting an attempt", () => consumer.attemptBegun(entry));
    if (attempts === undefined) return null;
    if (attempts > MAX_FATAL_ATTEMPTS) {
      await this.#settlement.bury({ entry, reason: `it ended its thread ${MAX_FATAL_ATTEMPTS} times` });
      return null;
    }
    const group = await this.#decodeAndCheck([entry]);
    await this.#retrying("counting an attempt", () => consumer.attemptEnded(entry));
    return group;
  }

  async #decodeAndCheck(entries: readonly StreamEntry[]): Promise<PreparedGroup | null> {
    if (entries.length === 0) return null;
    const { deliveries, poison, parse_ms } = decode(entries);
    for (const one of poison) await this.#settlement.bury(one);
    const rows = deliveries.reduce((sum, { meta }) => sum + meta.total_readings, 0);
    this.#policy.saw(
      deliveries.length,
      rows,
      deliveries.reduce((sum, { entry }) => sum + bodySize(entry), 0),
    );
    if (deliveries.length === 0) return null;
    return (await this.#retrying("looking systems up", () => this.#check(deliveries, parse_ms))) ?? null;
  }

  async #check(deliveries: readonly Delivery[], parse_ms: number): Promise<PreparedGroup> {
    const { consumer, systems, clock, rules } = this.deps;
    const known = await systems.known(new Set(deliveries.map(({ meta }) => meta.system_id)));
    const now_ms = clock.now_ms();
    await consumer.begin(
      deliveries.map(({ meta }) => meta.job_id),
      now_ms,
    );
    return prepare(deliveries, known, now_ms, rules, parse_ms);
  }

  async #write(entries: readonly StreamEntry[], groups: readonly PreparedGroup[]): Promise<void> {
    for (const group of groups) await this.#settlement.finish(group);
    for (const entry of entries) this.#inHand.delete(entry);
  }

  /** Keep what is in hand from being claimed by others. A failure is no harm: they would only repeat the work. */
  async #keep(): Promise<void> {
    try {
      await this.deps.consumer.keep(this.#inHand);
    } catch (error) {
      this.deps.log.debug({ err: error }, "entries in hand could not be kept");
    }
  }

  /** Until it succeeds; undefined when the drain's deadline passes first, or nothing new is wanted. */
  async #retrying<T>(what: string, work: () => Promise<T>): Promise<T | undefined> {
    const backoff = new Backoff(50, 2_000);
    while (!this.#giveUp.signal.aborted) {
      try {
        return await work();
      } catch (error) {
        const passing = error instanceof StreamUnavailableError || error instanceof StoreUnavailableError;
        if (!passing) throw error;
        this.deps.tell({ kind: "retrying", fault: error.name });
        this.deps.log.warn({ err: error.message }, `${what} failed, trying again`);
        if (this.#stop.signal.aborted && this.#inHand.size === 0) return undefined;
        await sleep(backoff.next_ms(), this.#giveUp.signal);
      }
    }
    return undefined;
  }
}
