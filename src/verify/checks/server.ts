/** Extension and edition, settings, clocks. */
import { inspectClock } from "../../store/inspect/server.ts";
import { inspectRedis } from "../../stream/inspect.ts";
import type { Check } from "../context.ts";
import { failed, ok, warn } from "../finding.ts";
import { duration, plural } from "../format.ts";
import { worstOffset } from "./redis.ts";

const OLDEST_POSTGRES = 150_000;
/** PostgreSQL's default is 64; a query over many chunks takes a lock for each and for each index of it. */
const LOCKS_WANTED = 256;
/** With fewer chunks the default is enough. */
const MANY_CHUNKS = 100;
/** Readings are refused from 5 min in the future: by then clocks must agree far better. */
const CLOCK_WARN_MS = 1_000;
const CLOCK_FAIL_MS = 30_000;

export const extension: Check = {
  name: "extension",
  async run(_, { server }) {
    const { timescaledb, version, version_number } = server;
    const figures = { postgres: version, timescaledb: timescaledb?.version ?? null };
    if (!timescaledb)
      return failed(
        `PostgreSQL ${version} without the timescaledb extension in this database`,
        "Run: hydraulic migrate",
        figures,
      );
    const all = { ...figures, edition: timescaledb.edition, license: timescaledb.license };
    const summary = `TimescaleDB ${timescaledb.version}, ${timescaledb.edition} edition, on PostgreSQL ${version}`;
    if (version_number < OLDEST_POSTGRES)
      return failed(summary, "PostgreSQL 15 or newer is needed: upgrade the server", all);
    const { available_version } = timescaledb;
    if (available_version !== null && available_version !== timescaledb.version)
      return warn(
        `${summary}; the server offers ${available_version}`,
        'As the first statement of a psql -X session: ALTER EXTENSION timescaledb UPDATE (TimescaleDB documentation, "Upgrade TimescaleDB")',
        { ...all, available: available_version },
      );
    return ok(summary, all);
  },
};

export const settings: Check = {
  name: "settings",
  async run(_, { server, hypertable }) {
    const { durable, max_locks_per_transaction } = server;
    const chunks = hypertable?.chunks.length ?? 0;
    const figures = { ...durable, max_locks_per_transaction };
    const off = Object.entries(durable).filter(([, value]) => value === "off");
    if (off.length > 0)
      return failed(
        `${off.map(([name]) => name).join(", ")} is off: a power cut loses or breaks committed readings`,
        `Turn it on in postgresql.conf: ${off.map(([name]) => `${name} = on`).join(", ")}`,
        figures,
      );
    if (chunks > MANY_CHUNKS && max_locks_per_transaction < LOCKS_WANTED)
      return warn(
        `max_locks_per_transaction is ${max_locks_per_transaction} with ${plural(chunks, "chunk")}`,
        `Set max_locks_per_transaction = ${LOCKS_WANTED} and restart PostgreSQL`,
        figures,
      );
    return ok(`commits are durable; max_locks_per_transaction ${max_locks_per_transaction}`, figures);
  },
};

export const clock: Check = {
  name: "clock",
  async run({ database, redis, clock, expected }) {
    const now_ms = () => clock.now_ms();
    const { offset_ms, uncertainty_ms } = await inspectClock(database, now_ms);
    const servers =
      redis instanceof Error ? [] : await inspectRedis(redis, expected.bounds.partitions, now_ms);
    const ofRedis = worstOffset(servers);
    const worst_ms = Math.max(Math.abs(offset_ms), Math.abs(ofRedis ?? 0));
    const figures = {
      postgres_offset_ms: round(offset_ms),
      uncertainty_ms: round(uncertainty_ms),
      redis_offset_ms: ofRedis === null ? null : round(ofRedis),
    };
    const summary = `PostgreSQL differs by ${signed(offset_ms)} (±${duration(Math.ceil(uncertainty_ms))})${
      ofRedis === null ? "" : `, Redis by ${signed(ofRedis)}`
    }`;
    const remedy =
      "Let NTP set the clocks of all machines; ages and the 5 min limit for the future depend on them";
    if (worst_ms > CLOCK_FAIL_MS + uncertainty_ms) return failed(summary, remedy, figures);
    if (worst_ms > CLOCK_WARN_MS + uncertainty_ms) return warn(summary, remedy, figures);
    return ok(summary, figures);
  },
};

const round = (ms: number) => Math.round(ms * 100) / 100;
const signed = (ms: number) => `${ms < 0 ? "-" : "+"}${duration(Math.abs(ms))}`;
