/**
 * Idempotency-Key (draft-ietf-httpapi-idempotency-key-header): one job for one key of one user. A request first
 * claims its key; the script that writes the batch turns the claim into the answer in the same step, so that no
 * crash leaves a job without its key or a key without its job.
 */
import { reaching } from "./connection.ts";
import { idempotencyKey } from "./keys.ts";
import type { Replicas } from "./replicas.ts";
import type { ScriptedRedis } from "./scripts.ts";

/** A key that this request may use. */
export interface IdempotencyClaim {
  readonly partition: number;
  readonly redisKey: string;
  /** What the key holds while the request is in flight: nobody else's claim is freed by mistake. */
  readonly token: string;
}

export type IdempotencyState =
  | { readonly kind: "fresh"; readonly claim: IdempotencyClaim }
  | { readonly kind: "in_flight" }
  | { readonly kind: "answered"; readonly job_id: string; readonly fingerprint: string };

const IN_FLIGHT = "in-flight";

export class IdempotencyStore {
  /**
   * @param claim_ttl_ms longer than a request may take; a claim of a process that died is free after it
   * @param otherCounts numbers of partitions by which other producers give keys their place, or did so lately. Whoever
   *   claims a key looks there afterwards: of two that claim it in two places at least one sees the other
   * @param replicas must have an answer before it is given again: the first request may not have waited for them
   */
  constructor(
    private readonly redis: ScriptedRedis,
    private readonly partitions: number,
    private readonly claim_ttl_ms: number,
    private readonly replicas?: Pick<Replicas, "confirm">,
    private readonly otherCounts: () => readonly number[] = () => [],
  ) {}

  /** Claim a key, or learn who has it. @throws {StreamUnavailableError} */
  async begin(user_id: string, key: string): Promise<IdempotencyState> {
    const place = Number(Bun.hash.xxHash32(`${user_id}\n${key}`));
    const partition = place % this.partitions;
    const redisKey = idempotencyKey(partition, user_id, key);
    const token = `${IN_FLIGHT} ${crypto.randomUUID()}`;
    const claimed = this.redis.set(redisKey, token, "PX", this.claim_ttl_ms, "NX", "GET");
    const held = await reaching(claimed as Promise<string | null>);
    if (held !== null) return this.#stateOf(partition, redisKey, held);
    const claim = { partition, redisKey, token };
    const elsewhere = [...new Set(this.otherCounts().map((n) => place % n))].filter((p) => p !== partition);
    const found = await Promise.all(elsewhere.map((p) => this.#look(p, idempotencyKey(p, user_id, key))));
    const other = found.find((state) => state !== null);
    if (!other) return { kind: "fresh", claim };
    await this.abandon(claim);
    return other;
  }

  async #look(partition: number, redisKey: string): Promise<IdempotencyState | null> {
    const held = await reaching(this.redis.get(redisKey));
    return held === null ? null : this.#stateOf(partition, redisKey, held);
  }

  async #stateOf(partition: number, redisKey: string, held: string): Promise<IdempotencyState> {
    if (held.startsWith(IN_FLIGHT)) return { kind: "in_flight" };
    await this.replicas?.confirm(partition, redisKey);
    const [job_id = "", fingerprint = ""] = held.split(" ");
    return { kind: "answered", job_id, fingerprint };
  }

  /** Free the key of a request that ended without a job, unless it was answered or claimed anew. @throws {StreamUnavailableError} */
  async abandon(claim: IdempotencyClaim): Promise<void> {
    await reaching(this.redis.hiDrop(claim.redisKey, claim.token));
  }
}
