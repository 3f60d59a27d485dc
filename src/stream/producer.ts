/** The way into the stream: one script writes the entry, the job hash and the note for the mirror. */
import { type EntryMeta, encodeEntry } from "../contract/entry.ts";
import type { BodyFormat } from "../contract/formats/body-format.ts";
import type { Precision } from "../contract/formats/line-values.ts";
import { newJobId } from "../contract/job-id.ts";
import { NO_SPAN, type Span, within } from "../ops/trace.ts";
import { contextFields } from "../ops/trace-context.ts";
import { NothingWrittenError, reachingInTime, StreamUnavailableError } from "./connection.ts";
import type { IdempotencyClaim } from "./idempotency.ts";
import { jobFields } from "./jobs.ts";
import { acceptedKey, backlogKey, jobKey, mirrorKey, streamKey } from "./keys.ts";
import { messagingAttributes } from "./messaging.ts";
import type { Replicas } from "./replicas.ts";
import type { ScriptedRedis } from "./scripts.ts";

export interface StreamBounds {
  readonly partitions: number;
  /** Entries one partition may hold. */
  readonly max_entries: number;
  /** Bytes of bodies, as Redis keeps them, that one partition may hold; a single larger body still fits into an empty partition. */
  readonly max_bytes: number;
  readonly idempotency_ttl_s: number;
}

/** A batch whose envelope is good. */
export interface BatchOffer {
  readonly system_id: string;
  readonly user_id: string;
  readonly request_id: string;
  readonly total_readings: number;
  readonly received_at_ms: number;
  readonly format: BodyFormat;
  /** Of line protocol; nanoseconds without it. */
  readonly precision?: Precision;
  /** The batch as sent, decompressed. */
  readonly body: Uint8Array;
  readonly idempotency?: IdempotencyClaim & { readonly fingerprint: string };
  /** Of the request that brought it. */
  readonly span?: Span;
}

export type OfferOutcome =
  | { readonly kind: "accepted"; readonly job_id: string }
  /** The claim of the Idempotency-Key ran out before, and another request has the key or has made its job. */
  | { readonly kind: "overtaken" }
  | { readonly kind: "backlog_full"; readonly bound: "entries" | "bytes" };

const COUNT_EVERY_MS = 100;
/** A partition that could not be written to gets no batches for so long, unless it must be this one, ms. */
const AVOID_MS = 1_000;

export class Producer {
  #turn = 0;
  /** Readings accepted since the last count, by partition. */
  readonly #uncounted = new Map<number, number>();
  /** Until when partitions are avoided, ms of the process. */
  readonly #avoided = new Map<number, number>();

  /** @param replicas must have a batch before it counts as accepted; without, the server alone must */
  constructor(
    private readonly redis: ScriptedRedis,
    private readonly bounds: StreamBounds,
    private readonly replicas?: Pick<Replicas, "confirm" | "expect">,
  ) {}

  /**
   * Write a batch and its job, or nothing at all.
   * @throws {StreamUnavailableError} when Redis is away or out of memory, or too few replicas have the batch; whether it
   *   was written is then unknown (but not with NothingWrittenError), and a client that sends it again with the same
   *   Idempotency-Key gets one job
   */
  async offer(offer: BatchOffer): Promise<OfferOutcome> {
    const partition = offer.idempotency?.partition ?? this.#nextPartition();
    const job_id = newJobId(partition);
    const span = (offer.span ?? NO_SPAN).child("send ingest", { kind: "producer" });
    if (span.recording)
      span.set({
        ...messagingAttributes("send", partition),
        "messaging.message.body.size": offer.body.length,
        "hydraulic.job_id": job_id,
        "hydraulic.readings": offer.total_readings,
      });
    return within(span, async () => {
      const outcome = await this.#durably(offer, partition, job_id, span);
      if (outcome.kind !== "accepted") span.fail("it was not accepted", outcome.kind);
      return outcome;
    });
  }

  /** In turn; those on a server that is away only when there is no other. */
  #nextPartition(): number {
    const { partitions } = this.bounds;
    const now_ms = performance.now();
    for (let tried = 0; tried < partitions; tried += 1) {
      const partition = this.#turn++ % partitions;
      if (!((this.#avoided.get(partition) ?? 0) > now_ms)) return partition;
    }
    return this.#turn++ % partitions;
  }

  async #durably(offer: BatchOffer, partition: number, job_id: string, span: Span): Promise<OfferOutcome> {
    try {
      if (this.replicas) await this.#expectReplicas(partition);
      const outcome = await this.#write(offer, partition, job_id, span);
      if (outcome.kind === "accepted") await this.replicas?.confirm(partition, jobKey(job_id));
      return outcome;
    } catch (error) {
      if (error instanceof StreamUnavailableError) this.#avoided.set(partition, performance.now() + AVOID_MS);
      throw error;
    }
  }

  async #write(offer: BatchOffer, partition: number, job_id: string, span: Span): Promise<OfferOutcome> {
    const { body, idempotency } = offer;
    const meta: EntryMeta = {
      job_id,
      system_id: offer.system_id,
      user_id: offer.user_id,
      request_id: offer.request_id,
      total_readings: offer.total_readings,
      received_at_ms: offer.received_at_ms,
      // Of JSON nothing is noted: threads of an older program read its entries too.
      ...(offer.format === "json" ? {} : { format: offer.format }),
      ...(offer.precision === undefined ? {} : { precision: offer.precision }),
      ...contextFields(span.context),
    };
    const [, version, , metaText, , bytes] = encodeEntry(meta, body);
    const keys = [streamKey(partition), jobKey(job_id), mirrorKey(partition), backlogKey(partition)];
    if (idempotency) keys.push(idempotency.redisKey);
    const answer = idempotency ? `${job_id} ${idempotency.fingerprint}` : "";
    const { max_entries, max_bytes, idempotency_ttl_s } = this.bounds;
    const outcome = await reachingInTime(
      this.redis.hiOffer(
        keys.length,
        ...keys,
        max_entries,
        max_bytes,
        bytes.length,
        metaText,
        version,
        bytes,
        answer,
        idempotency_ttl_s,
        idempotency?.token ?? "",
        ...jobFields(meta),
      ),
    );
    if (outcome === "overtaken") return { kind: "overtaken" };
    if (outcome !== "accepted") return { kind: "backlog_full", bound: outcome };
    this.#count(partition, offer.total_readings);
    return { kind: "accepted", job_id };
  }

  async #expectReplicas(partition: number): Promise<void> {
    try {
      await this.replicas?.expect(partition);
    } catch (error) {
      if (!(error instanceof StreamUnavailableError)) throw error;
      throw new NothingWrittenError(error.message, { cause: error });
    }
  }

  /**
   * For the overview only, so nobody waits for it, what happens together is counted together, and a count that is lost
   * changes one figure for a moment.
   */
  #count(partition: number, readings: number): void {
    if (this.#uncounted.size === 0) setTimeout(() => this.#tellCounts(), COUNT_EVERY_MS).unref();
    this.#uncounted.set(partition, (this.#uncounted.get(partition) ?? 0) + readings);
  }

  #tellCounts(): void {
    for (const [partition, readings] of this.#uncounted)
      this.redis.incrby(acceptedKey(partition), readings).catch(() => undefined);
    this.#uncounted.clear();
  }
}
