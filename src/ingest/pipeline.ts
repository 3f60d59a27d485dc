/**
 * The life of a thread: read, prepare, commit, settle. While one group is being written, the next is read and
 * prepared; there is never more than that in hand. Ends when it is told to drain.
 */
import { decodedBytes, readableMeta } from "../contract/entry.ts";
import { Backoff, sleep, unlessAborted } from "../ops/retry.ts";
import { NO_SPAN } from "../ops/trace.ts";
import { StoreUnavailableError } from "../store/errors.ts";
import { StreamUnavailableError } from "../stream/connection.ts";
import type { StreamEntry } from "../stream/entries.ts";
import { BatchPolicy } from "./batch-policy.ts";
import { beginBatch } from "./batch-span.ts";
import { EntrySource } from "./entry-source.ts";
import {
  apart,
  type Decoded,
  type Delivery,
  decode,
  type PreparedGroup,
  prepare,
  unknownSensors,
} from "./group.ts";
import type { PipelineDeps } from "./pipeline-deps.ts";
import { Settlement } from "./settlement.ts";

/** Attempts to decode and check an entry that killed a thread before. */
const MAX_FATAL_ATTEMPTS = 3;

/** Bytes of the batch as it was sent. */
const sizeOf = (entry: StreamEntry) => decodedBytes(entry.fields);

export class Pipeline {
  readonly #policy = new BatchPolicy();
  readonly #settlement: Settlement;
  /** By partition and id. */
  readonly #inHand = new Map<string, StreamEntry>();
  readonly #stop = new AbortController();
  readonly #giveUp = new AbortController();
  /** Versions of entries that were left to newer programs, each told of once. */
  readonly #tooNew = new Set<number>();
  readonly #source: EntrySource;
  /** The group before this one. */
  #writing: Promise<void> = Promise.resolve();

  constructor(private readonly deps: PipelineDeps) {
    this.#source = new EntrySource(deps);
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
      await this.#retrying("the consumer group", () => this.deps.consumer.ensureGroups(), this.#stop.signal);
      while (!this.#stop.signal.aborted) {
        if (!this.#source.isBehind) await this.#writing;
        await this.#work(await this.#next());
      }
      // Reads that were under way when reading stopped are still heard.
      await this.#work(
        this.#fresh((await unlessAborted(this.deps.consumer.rest(), this.#giveUp.signal)) ?? []),
      );
      await this.#writing;
    } finally {
      clearInterval(keeper);
      this.#giveUp.abort();
    }
  }

  async #work(taken: readonly StreamEntry[]): Promise<void> {
    for (const entries of this.#policy.portions(taken, sizeOf)) {
      const groups = await this.#prepare(entries);
      await this.#writing;
      this.#writing = this.#write(entries, groups);
      // Awaited a turn later; until then its failure must not count as unhandled.
      this.#writing.catch(() => undefined);
    }
  }

  /** Entries in hand may be among what was taken: they are left out. */
  async #next(): Promise<StreamEntry[]> {
    const take = () => this.#source.next(this.#policy.count);
    return this.#fresh((await this.#retrying("the stream", take, this.#stop.signal)) ?? []);
  }

  /** Those that are not in hand; they are from now on. */
  #fresh(entries: readonly StreamEntry[]): StreamEntry[] {
    const fresh = entries.filter((entry) => !this.#inHand.has(placeOf(entry)));
    for (const entry of fresh) this.#inHand.set(placeOf(entry), entry);
    return fresh;
  }

  /** Entries that nobody began before go together; those of a dead consumer go one by one. */
  async #prepare(entries: readonly StreamEntry[]): Promise<PreparedGroup[]> {
    const groups = await this.#groupsOf(
      entries.filter((entry) => !entry.redelivered),
      null,
    );
    await this.#endSessions(entries);
    for (const entry of entries.filter((e) => e.redelivered)) {
      groups.push(...(await this.#groupsOf([entry], entry)));
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

  /** @param suspect the one entry, if it may have killed its thread */
  async #groupsOf(entries: readonly StreamEntry[], suspect: StreamEntry | null): Promise<PreparedGroup[]> {
    if (entries.length === 0) return [];
    const decoded = await this.#attempt(suspect, () => decode(entries, this.deps.tracer));
    if (!decoded) return [];
    const { deliveries, poison, newer, parse_ms } = decoded;
    for (const one of poison) await this.#settlement.bury(one);
    for (const one of newer) await this.#leaveToNewer(one);
    const rows = deliveries.reduce((sum, { meta }) => sum + meta.total_readings, 0);
    const bytes = deliveries.reduce((sum, { entry }) => sum + sizeOf(entry), 0);
    this.#policy.saw(deliveries.length, rows, bytes);
    const groups: PreparedGroup[] = [];
    for (const set of apart(deliveries)) {
      const group = await this.#checked(set, suspect, parse_ms);
      if (group) groups.push(group);
    }
    return groups;
  }

  /** An API of a newer program runs already, and its workers do not yet: they come, and then take it. */
  async #leaveToNewer({ entry, version }: Decoded["newer"][number]): Promise<void> {
    // Not in hand any more: whoever keeps what is in hand would take it back.
    this.#inHand.delete(placeOf(entry));
    const leave = () => this.deps.consumer.leaveToNewer(entry, version);
    await this.#retrying("leaving an entry to a newer program", leave);
    if (this.#tooNew.has(version)) return;
    this.#tooNew.add(version);
    this.deps.log.warn(
      { entry: placeOf(entry), version },
      "entries wait for newer workers: this one is too old",
    );
  }

  /** Judged by what the registry says of all its sensors: a group with unknown ones is judged again once they are. */
  async #checked(
    set: readonly Delivery[],
    suspect: StreamEntry | null,
    parse_ms: number,
  ): Promise<PreparedGroup | undefined> {
    const { registry, rules } = this.deps;
    const started_at_ms = await this.#retrying("beginning jobs", () => this.#begin(set));
    if (started_at_ms === undefined) return undefined;
    const judge = () => prepare(set, registry, started_at_ms, rules, parse_ms);
    const group = await this.#attempt(suspect, judge);
    if (!group) return undefined;
    const unknown = unknownSensors(group, registry);
    const learnt = await this.#retrying("looking sensors up", () => registry.learnSensors(unknown));
    return learnt ? await this.#attempt(suspect, judge) : group;
  }

  /**
   * Work of the processor alone on entries. Of a suspect, attempts are counted where a crash cannot hide them;
   * waiting for Redis or PostgreSQL is no part of an attempt, so that an outage is never an entry's fault.
   * @returns undefined when the suspect has been buried, or the drain's deadline has passed
   */
  async #attempt<T>(suspect: StreamEntry | null, work: () => T): Promise<T | undefined> {
    if (!suspect) return work();
    const { consumer, tracer } = this.deps;
    const attempts = await this.#retrying("counting an attempt", () => consumer.attemptBegun(suspect));
    if (attempts === undefined) return undefined;
    if (attempts > MAX_FATAL_ATTEMPTS) {
      const reason = `it ended its thread ${MAX_FATAL_ATTEMPTS} times`;
      const meta = readableMeta(suspect.fields);
      const span = meta ? beginBatch(tracer, suspect, meta, performance.now()) : NO_SPAN;
      await this.#settlement.bury({ entry: suspect, meta, reason, span });
      return undefined;
    }
    const result = work();
    await this.#retrying("counting an attempt", () => consumer.attemptEnded(suspect));
    return result;
  }

  /** Looks the systems up and says that the jobs are in work. @returns when that was, ms */
  async #begin(deliveries: readonly Delivery[]): Promise<number> {
    const { consumer, registry, clock } = this.deps;
    await registry.refresh();
    await registry.learnSystems(deliveries.map(({ meta }) => meta.system_id));
    const now_ms = clock.now_ms();
    const job_ids = deliveries.map(({ meta }) => meta.job_id);
    await consumer.begin(job_ids, now_ms);
    return now_ms;
  }

  async #write(entries: readonly StreamEntry[], groups: readonly PreparedGroup[]): Promise<void> {
    for (const group of groups) await this.#settlement.finish(group);
    for (const entry of entries) this.#inHand.delete(placeOf(entry));
  }

  /** Keep what is in hand from being claimed by others. A failure is no harm: they would only repeat the work. */
  async #keep(): Promise<void> {
    try {
      await this.deps.consumer.keep(this.#inHand.values());
    } catch (error) {
      this.deps.log.debug({ err: error }, "entries in hand could not be kept");
    }
  }

  /** Until it succeeds; undefined when it is no longer wanted. */
  async #retrying<T>(
    what: string,
    work: () => Promise<T>,
    unwanted: AbortSignal = this.#giveUp.signal,
  ): Promise<T | undefined> {
    const backoff = new Backoff(50, 2_000);
    while (!unwanted.aborted) {
      try {
        // A read that is under way when reading stops is still heard: its entries are in hand.
        return await unlessAborted(work(), this.#giveUp.signal);
      } catch (error) {
        const passing = error instanceof StreamUnavailableError || error instanceof StoreUnavailableError;
        if (!passing) throw error;
        this.deps.tell({ kind: "retrying", fault: error.name });
        this.deps.log.warn({ err: error.message }, `${what} failed, trying again`);
        await sleep(backoff.next_ms(), unwanted);
      }
    }
    return undefined;
  }
}

const placeOf = (entry: StreamEntry) => `${entry.partition}/${entry.id}`;
