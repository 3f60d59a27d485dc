/** One job for one Idempotency-Key (draft-ietf-httpapi-idempotency-key-header) of one user. */
import type { Logger } from "../ops/log.ts";
import { NothingWrittenError, replyCode, StreamUnavailableError } from "../stream/connection.ts";
import type { IdempotencyClaim, IdempotencyStore } from "../stream/idempotency.ts";
import type { BatchOffer } from "../stream/producer.ts";
import { ProblemError } from "./problem-error.ts";

/** Visible ASCII characters (RFC 5234 VCHAR). */
const KEY = /^[\x21-\x7e]{1,255}$/;

/** The key as sent, or undefined when there is none. @throws {ProblemError} invalid-idempotency-key */
export function idempotencyKeyFrom(header: string | undefined): string | undefined {
  if (header === undefined || KEY.test(header)) return header;
  throw new ProblemError("invalid-idempotency-key");
}

/**
 * SHA-256 of the decompressed body, hex: the same batch is the same however it was compressed.
 * @param beside what the request says of the batch outside of its body; "" when the body says all
 */
export function fingerprintOf(body: Uint8Array, beside = ""): string {
  if (beside === "") return Bun.CryptoHasher.hash("sha256", body, "hex");
  return new Bun.CryptoHasher("sha256").update(`${beside}\n`).update(body).digest("hex");
}

/** The job of a request, and whether an earlier request with the same key made it. */
export interface Acceptance {
  readonly job_id: string;
  readonly replayed: boolean;
}

/** Another request has the key; what comes of it can be learned soon. */
export function keyInFlight(): ProblemError {
  return new ProblemError("idempotency-in-flight", { headers: { "Retry-After": "1" } });
}

/** One request that carries a key. */
export interface KeyedRequest {
  readonly user_id: string;
  readonly key: string;
  /** See `fingerprintOf`. */
  readonly beside: string;
  /** Takes the body from the network. */
  readonly receive: () => Promise<Uint8Array>;
  /** Makes the job; its id is the key's answer from then on. */
  readonly accept: (body: Uint8Array, idempotency: NonNullable<BatchOffer["idempotency"]>) => Promise<string>;
}

/**
 * Make the key's job, or find the one that was made.
 * @throws {ProblemError} idempotency-in-flight, idempotency-mismatch, and what `receive` and `accept` throw
 * @throws {StreamUnavailableError}
 */
export async function acceptOnce(
  store: Pick<IdempotencyStore, "begin" | "abandon">,
  log: Logger,
  request: KeyedRequest,
): Promise<Acceptance> {
  const state = await store.begin(request.user_id, request.key);
  if (state.kind === "in_flight") throw keyInFlight();
  if (state.kind === "answered") {
    const body = await request.receive();
    if (fingerprintOf(body, request.beside) !== state.fingerprint)
      throw new ProblemError("idempotency-mismatch");
    return { job_id: state.job_id, replayed: true };
  }
  try {
    const body = await request.receive();
    const idempotency = { ...state.claim, fingerprint: fingerprintOf(body, request.beside) };
    return { job_id: await request.accept(body, idempotency), replayed: false };
  } catch (error) {
    if (!mayHaveWritten(error)) await abandon(store, log, state.claim);
    throw error;
  }
}

/**
 * True when it is not known whether the request changed anything: when Redis went away under it, the batch may be in
 * the stream and its id in the key. Freeing the key would then let a retry make a second job; so it is left to its
 * claim's time to live. An error reply, on the other hand, says that nothing was written.
 */
export function mayHaveWritten(error: unknown): boolean {
  if (!(error instanceof StreamUnavailableError) || error instanceof NothingWrittenError) return false;
  return replyCode(error.cause) === undefined;
}

/** The request has failed already; that its key stays taken for a while must not hide why. */
async function abandon(
  store: Pick<IdempotencyStore, "abandon">,
  log: Logger,
  claim: IdempotencyClaim,
): Promise<void> {
  try {
    await store.abandon(claim);
  } catch (err) {
    log.warn({ err }, "an Idempotency-Key stays claimed until its time is over");
  }
}
