/**
 * Redis keys. All keys of one partition carry its number as hash tag, so that each of the scripts below touches
 * one slot of a Redis Cluster.
 */
import { createHash } from "node:crypto";
import { partitionOf } from "../contract/job-id.ts";

/** The consumer group of the ingest threads. */
export const INGEST_GROUP = "ingest";

/**
 * With a version behind it: the consumer that holds entries of that version, which are too new for the program that
 * read them. Nobody has this name; a thread of a program that knows the version takes them over at once.
 */
export const WAITING_CONSUMER = "waits-for-version:";

/** Accepted batches that wait or are in work. */
export const streamKey = (partition: number) => `ingest:{${partition}}`;
/** Bytes of the bodies in `streamKey`. */
export const backlogKey = (partition: number) => `backlog:{${partition}}`;
/** Jobs that Postgres has not heard of yet. */
export const mirrorKey = (partition: number) => `mirror:{${partition}}`;
/** Who mirrors the partition at the moment. */
export const mirrorLockKey = (partition: number) => `mirror-lock:{${partition}}`;
/** Name of the set of data that the partition is part of: gone with it. */
export const lineageKey = (partition: number) => `lineage:{${partition}}`;
/** Who looks for lost jobs at the moment. */
export const lossLockKey = "loss-lock";
/** Entries that could not be processed, with their payload. */
export const deadKey = (partition: number) => `dead:{${partition}}`;
/** Readings accepted since the key was made; counted after the batch, for people. */
export const acceptedKey = (partition: number) => `accepted:{${partition}}`;
/** Numbers of partitions that producers use, by when they last said so, ms. */
export const PARTITIONS_KEY = "partitions";
/** Names of worker processes by their last sign of life, ms; some may be gone. */
export const WORKERS_KEY = "workers";
/** What a worker process last said of itself. Expires when it falls silent. */
export const workerKey = (process: string) => `workers:{${process}}`;
/** Who replays or discards a dead letter at the moment. */
export const deadClaimKey = (partition: number, id: string) => `dead-claim:{${partition}}:${id}`;
/** Attempts to process an entry that did not come to an end. */
export const attemptsKey = (partition: number, entryId: string) => `attempts:{${partition}}:${entryId}`;
/** Written before replicas are asked whether they have what came before. */
export const replicaMarkKey = (partition: number) => `replicas:{${partition}}`;
/**
 * Channel on which the keys of jobs are told whose state has changed. One for all partitions: in a cluster a channel
 * is heard on every node, so one connection of a listener is enough.
 */
export const JOB_CHANNEL = "job-changes";
/** State of one job. */
export const jobKey = (job_id: string) => `job:{${partitionOf(job_id)}}:${job_id}`;
/** Answer given to an Idempotency-Key. The key is hashed: its characters and length are the client's choice. */
export const idempotencyKey = (partition: number, user_id: string, key: string) =>
  `idem:{${partition}}:${user_id}:${createHash("sha256").update(key).digest("base64url")}`;
