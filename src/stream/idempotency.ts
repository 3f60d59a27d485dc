/**
 * Idempotency-Key (draft-ietf-httpapi-idempotency-key-header): one job for one key of one user. A request first
 * claims its key; the script that writes the batch turns the claim into the answer in the same step, so that no
 * crash leaves a job without its key or a key without its job.
 */
import { reaching } from "./connection.ts";
import { idempotencyKey } from "./keys.ts";
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
  /** @param claim_ttl_ms longer than a request may take; a claim of a process that died is free after it */
  constructor(
    private readonly redis: ScriptedRedis,
    private readonly partitions: number,
    private readonly claim_ttl_ms: number,
  ) {}

  /** Claim a key, or learn who has it. @throws {StreamUnavailableError} */
  async begin(user_id: string, key: string): Promise<IdempotencyState> {
    const partition = Number(Bun.hash.xxHash32(`${user_id}\n${key}`)) % this.partitions;
    const redisKey = idempotencyKey(partition, user_id, key);
    const token = `${IN_FLIGHT} ${crypto.randomUUID()}`;
    const claimed = this.redis.set(redisKey, token, "PX", this.claim_ttl_ms, "NX", "GET");
    const held = await reaching(claimed as Promise<string | null>);
    if (held === null) return { kind: "fresh", claim: { partition, redisKey, token } };
    if (held.startsWith(IN_FLIGHT)) return { kind: "in_flight" };
    const [job_id = "", fingerprint = ""] = held.split(" ");
    return { kind: "answered", job_id, fingerprint };
  }

  /** Free the key of a request that ended without a job, unless it was answered or claimed anew. @throws {StreamUnavailableError} */
  async abandon(claim: IdempotencyClaim): Promise<void> {
    await reaching(this.redis.hiDrop(claim.redisKey, claim.token));
  }
}
