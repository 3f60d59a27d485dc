/** What `hydraulic-ingest/client` exports. */
export type { WhenFull } from "./capacity.ts";
export { HydraulicClient, type SendOptions, type WaitOptions } from "./client.ts";
export type { Auth } from "./credentials.ts";
export * from "./errors.ts";
export type { RetryPolicy } from "./exchange.ts";
export type { BatchInfo, BufferOptions, ClientEvents, ClientOptions, SpoolOptions } from "./options.ts";
export type { FsyncPolicy } from "./spool/settings.ts";
export type { Surroundings } from "./time.ts";
export type { Acceptance, Batch, Job, JobState, QuarantinePage, Reading, RefusalReason } from "./types.ts";
