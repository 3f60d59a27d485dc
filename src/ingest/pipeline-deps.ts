/** What the pipeline of a thread and its settlement are built from. */
import type { Clock } from "../ops/clock.ts";
import type { Logger } from "../ops/log.ts";
import type { Tracer } from "../ops/trace.ts";
import type { JobStore } from "../store/jobs.ts";
import type { WriterSessions } from "../store/sessions.ts";
import type { Writer } from "../store/writer/writer.ts";
import type { StreamConsumer } from "../stream/consumer.ts";
import type { GroupRules } from "./group.ts";
import type { FromThread } from "./messages.ts";
import type { RegistryCache } from "./registry-cache.ts";

export interface PipelineDeps {
  readonly consumer: StreamConsumer;
  readonly writer: Writer;
  readonly jobs: JobStore;
  readonly sessions: WriterSessions;
  readonly registry: RegistryCache;
  readonly rules: GroupRules;
  readonly clock: Clock;
  readonly log: Logger;
  readonly tracer: Tracer;
  /** Silence after which other consumers claim an entry, ms. */
  readonly claim_idle_ms: number;
  readonly predecessor: string | null;
  readonly tell: (message: FromThread) => void;
}
