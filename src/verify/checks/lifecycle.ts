/** Hypertable, chunks, compression and retention. */
import {
  type HypertableFacts,
  inspectCompression,
  inspectJobs,
  type JobFacts,
} from "../../store/inspect/hypertable.ts";
import { type Check, withHypertable } from "../context.ts";
import { type Finding, failed, notAvailable, ok, warn } from "../finding.ts";
import { bytes, duration, percent, plural } from "../format.ts";

const DAY_MS = 86_400_000;
/** Policies and the maintenance leader run at least daily; two missed runs are worth a word. */
const LATE_MS = 2 * DAY_MS;
/** Rows that came into compressed chunks and were not compressed since, as a share of what was. */
const MOST_WAITING = 0.2;
const FEW_BYTES = 100e6;
/** Below this, segmentby or orderby do not fit the data. */
const LEAST_SAVED = 0.8;

export const hypertable: Check = {
  name: "hypertable",
  async run(_, { hypertable }) {
    if (!hypertable) return failed("there is no hypertable diagnostics_sensordata", "Run: hydraulic migrate");
    const { chunks, time_column } = hypertable;
    const figures = {
      time_column,
      chunks: chunks.length,
      from: iso(chunks[0]?.from_ms),
      to: iso(chunks.at(-1)?.to_ms),
    };
    if (time_column !== "timestamp")
      return failed(
        `divided by ${time_column}, not by timestamp`,
        "This is not a database of the service",
        figures,
      );
    if (chunks.length === 0) return ok("diagnostics_sensordata by timestamp, still empty", figures);
    return ok(
      `diagnostics_sensordata by timestamp, ${plural(chunks.length, "chunk")} from ${day(chunks[0]!.from_ms)} to ${day(chunks.at(-1)!.to_ms)}`,
      figures,
    );
  },
};

export const chunkInterval = withHypertable("chunk interval", async ({ expected }, { hypertable }) => {
  const wanted_ms = expected.chunk_interval_days * DAY_MS;
  const others = hypertable.chunks.filter(
    ({ from_ms, to_ms }) => to_ms - from_ms !== hypertable.chunk_interval_ms,
  ).length;
  const figures = {
    interval_days: hypertable.chunk_interval_ms / DAY_MS,
    configured_days: expected.chunk_interval_days,
    chunks_of_other_intervals: others,
  };
  const text = `new chunks hold ${duration(hypertable.chunk_interval_ms)}`;
  if (hypertable.chunk_interval_ms !== wanted_ms)
    return warn(
      `${text}; CHUNK_INTERVAL_DAYS says ${expected.chunk_interval_days}`,
      "It is read when the database is made; for new chunks: SELECT set_chunk_time_interval('diagnostics_sensordata', …)",
      figures,
    );
  return ok(others === 0 ? text : `${text}; ${plural(others, "older chunk")} of another length`, figures);
});

export const compression = withHypertable(
  "compression",
  async ({ database, expected, clock }, { edition, hypertable }) => {
    if (edition === "apache") return notAvailable("not available on the Apache edition");
    const policy = (await inspectJobs(database)).find(
      ({ procedure, hypertable }) =>
        procedure === "policy_compression" && hypertable === "diagnostics_sensordata",
    );
    if (!policy)
      return failed("there is no compression policy", "Start the service, or run: hydraulic migrate");
    const stats = await inspectCompression(database, edition);
    const overdue = overdueChunks(hypertable, expected.compress_after_days * DAY_MS, clock.now_ms());
    const { compressed_chunks = 0, before_bytes = 0, after_bytes = 0, waiting_bytes = 0 } = stats ?? {};
    const saved = before_bytes > 0 ? 1 - after_bytes / before_bytes : null;
    const figures = {
      policy: JSON.stringify(policy.config),
      chunks: hypertable.chunks.length,
      compressed_chunks,
      overdue_chunks: overdue,
      before_bytes,
      after_bytes,
      waiting_bytes,
      saved_share: saved,
      last_status: policy.last_status,
    };
    const later = waiting_bytes > 0 ? `; ${bytes(waiting_bytes)} came later and wait for the policy` : "";
    const text =
      saved === null
        ? `no chunk is compressed yet (after ${expected.compress_after_days} days)`
        : `${compressed_chunks} of ${plural(hypertable.chunks.length, "chunk")} compressed: ${bytes(before_bytes)} to ${bytes(after_bytes)}, ${percent(saved)} saved${later}`;
    const waits = waiting_bytes > MOST_WAITING * Math.max(before_bytes, FEW_BYTES);
    return judgeCompression(text, policy, overdue, waits, saved, figures);
  },
);

function judgeCompression(
  text: string,
  policy: JobFacts,
  overdue: number,
  waits: boolean,
  saved: number | null,
  figures: Finding["figures"],
): Finding {
  if (!policy.scheduled)
    return warn(
      `${text}; the policy is switched off`,
      "SELECT alter_job(job_id, scheduled => true)",
      figures,
    );
  const late = overdue > 0 ? `; ${plural(overdue, "chunk")} overdue` : "";
  const broken = policy.last_status === "Failed" ? "; the policy's last run failed" : "";
  if (late !== "" || broken !== "")
    return warn(
      `${text}${late}${broken}`,
      "Look into timescaledb_information.job_errors, or: CALL run_job(…)",
      figures,
    );
  if (waits)
    return warn(
      text,
      "The policy compresses them at its next run, or at once: CALL run_job(…), then VACUUM diagnostics_sensordata",
      figures,
    );
  if (saved !== null && saved < LEAST_SAVED)
    return warn(text, "Is segmentby still sensor_id and orderby timestamp DESC?", figures);
  return ok(text, figures);
}

/** Uncompressed chunks that two runs of the policy have passed over. */
function overdueChunks({ chunks }: HypertableFacts, age_ms: number, now_ms: number): number {
  return chunks.filter(
    ({ compressed, to_ms, created_ms }) =>
      !compressed && Math.max(to_ms + age_ms, created_ms) < now_ms - LATE_MS,
  ).length;
}

export const retention = withHypertable(
  "retention",
  async ({ database, expected, clock }, { edition, hypertable }) => {
    const limit_ms = clock.now_ms() - expected.retention_days * DAY_MS;
    const overdue = hypertable.chunks.filter(({ to_ms }) => to_ms < limit_ms - LATE_MS).length;
    const kept = `readings are kept ${plural(expected.retention_days, "day")}`;
    const figures = {
      retention_days: expected.retention_days,
      oldest: iso(hypertable.chunks[0]?.from_ms),
      overdue_chunks: overdue,
    };
    if (overdue > 0)
      return warn(
        `${kept}; ${plural(overdue, "older chunk")} not dropped`,
        "Is a worker running? Its log says why the maintenance cannot drop them",
        figures,
      );
    if (edition === "apache") return ok(`${kept}, dropped by the maintenance of a worker`, figures);
    const policies = (await inspectJobs(database)).filter(
      ({ procedure }) => procedure === "policy_retention",
    );
    if (policies.length === 0)
      return failed("there is no retention policy", "Start the service, or run: hydraulic migrate", figures);
    return ok(
      `${kept}, dropped by ${policies.length === 1 ? "a policy" : `${policies.length} policies`}`,
      figures,
    );
  },
);

const iso = (ms: number | undefined) => (ms === undefined ? null : new Date(ms).toISOString());
const day = (ms: number) => new Date(ms).toISOString().slice(0, 10);
