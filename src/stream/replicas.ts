/**
 * Makes sure that what was written outlives the server that took it. Redis tells of a write before its replicas have
 * it; whoever must not lose it waits here until enough of them do.
 *
 * All that wait for the replicas of a partition share one question, on a connection of its own: WAIT holds a connection
 * up. It asks for the last write of its own connection, so the question begins with a write; replicas take writes in
 * order, and so have whatever was written before. The server that is asked must also have the very thing: after a
 * failover it may be another one, whose replicas say yes to nothing.
 */
import { StreamUnavailableError } from "./connection.ts";
import { replicaMarkKey } from "./keys.ts";
import type { Line } from "./line.ts";
import type { ScriptedRedis } from "./scripts.ts";

export interface ReplicaSettings {
  /** Replicas that must have it. */
  readonly replicas: number;
  /** They and their master must have it on their disks, too. */
  readonly on_disk: boolean;
}

/** How one question went. */
export interface ReplicaAnswer {
  readonly took_ms: number;
  readonly confirmed: boolean;
}

/** Replicas that take longer are not there for this request, ms. */
const WAIT_MS = 2_000;
const MARGIN_MS = 1_000;
const MARK_TTL_MS = 60_000;
/** Asked for at once; the rest goes along with the next question. */
const KEYS_AT_ONCE = 500;

/** Fewer replicas than wanted have it. Whether they will have it later nobody knows. */
export class NotReplicatedError extends StreamUnavailableError {}

export class Replicas {
  readonly #queues = new Map<number, Queue>();

  /** @param lineFor a line to the server of a partition, for nothing else */
  constructor(
    private readonly lineFor: (partition: number) => Line,
    private readonly wanted: ReplicaSettings,
    private readonly onAnswer: (answer: ReplicaAnswer) => void = () => undefined,
  ) {}

  /**
   * Resolves when enough replicas have all that was written to the partition before.
   * @param key must be among it; null: nothing in particular
   * @throws {NotReplicatedError} @throws {StreamUnavailableError} @throws {ReplyError} of a server that cannot say
   */
  async confirm(partition: number, key: string | null): Promise<void> {
    if (this.wanted.replicas === 0) return;
    await this.#queue(partition).confirm(key);
  }

  /**
   * Before a write: while the replicas of a partition were last found missing, they are asked again first, so that not
   * everything is written that then has to be refused.
   * @throws as `confirm`
   */
  async expect(partition: number): Promise<void> {
    const isMissing = this.#queues.get(partition)?.isMissing ?? false;
    if (isMissing) await this.confirm(partition, null);
  }

  close(): void {
    for (const queue of this.#queues.values()) queue.close();
  }

  #queue(partition: number): Queue {
    let queue = this.#queues.get(partition);
    if (!queue) {
      const ask = (redis: ScriptedRedis, keys: readonly string[]) => this.#ask(redis, partition, keys);
      queue = new Queue(this.lineFor(partition), ask, this.onAnswer);
      this.#queues.set(partition, queue);
    }
    return queue;
  }

  /** @returns replicas that have it */
  async #ask(redis: ScriptedRedis, partition: number, keys: readonly string[]): Promise<void> {
    const { replicas, on_disk } = this.wanted;
    const [there, , reached, synced] = await Promise.all([
      keys.length > 0 ? redis.exists(...keys) : 0,
      redis.set(replicaMarkKey(partition), "1", "PX", MARK_TTL_MS),
      redis.wait(replicas, WAIT_MS),
      // After WAIT: replicas tell at once what is on their disks when they are asked, and else once a second.
      on_disk ? (redis.call("WAITAOF", 1, replicas, WAIT_MS) as Promise<[number, number]>) : null,
    ]);
    if (there < keys.length)
      throw new NotReplicatedError("Redis: the server that took a batch was lost before its replicas had it");
    const have = synced === null ? reached : Math.min(reached, synced[1]);
    if (have < replicas || synced?.[0] === 0)
      throw new NotReplicatedError(
        `Redis: ${have} of ${replicas} replicas have a batch${on_disk ? " on disk" : ""} after ${WAIT_MS} ms`,
      );
  }
}

interface Waiting {
  readonly key: string | null;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** The questions of one partition, one after the other. */
class Queue {
  #waiting: Waiting[] = [];
  #isAsking = false;
  isMissing = false;

  constructor(
    private readonly line: Line,
    private readonly ask: (redis: ScriptedRedis, keys: readonly string[]) => Promise<void>,
    private readonly onAnswer: (answer: ReplicaAnswer) => void,
  ) {}

  confirm(key: string | null): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ key, resolve, reject });
      if (!this.#isAsking) void this.#askAll();
    });
  }

  async #askAll(): Promise<void> {
    this.#isAsking = true;
    while (this.#waiting.length > 0) {
      const round = this.#waiting.splice(0, KEYS_AT_ONCE);
      const begin = performance.now();
      const failure = await this.#askOnce(round);
      this.isMissing = failure !== null;
      this.onAnswer({ took_ms: performance.now() - begin, confirmed: failure === null });
      for (const { resolve, reject } of round) {
        if (failure === null) resolve();
        else reject(failure.error);
      }
    }
    this.#isAsking = false;
  }

  async #askOnce(round: readonly Waiting[]): Promise<{ readonly error: unknown } | null> {
    const keys = [...new Set(round.flatMap(({ key }) => key ?? []))];
    try {
      await this.line.run((redis) => this.ask(redis, keys), 2 * WAIT_MS + MARGIN_MS);
      return null;
    } catch (error) {
      return { error };
    }
  }

  close(): void {
    this.line.close();
  }
}
