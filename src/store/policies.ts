/**
 * What the Community edition is told: compression of the readings, the continuous aggregate, and the policies of
 * both. Adding a policy again with other arguments only warns, so a policy that differs is removed and added anew.
 */
import type { DedicatedSession } from "./dedicated-session.ts";
import { CREATE_CAGG_SQL, HOURLY_CAGG, type MaterializedTable } from "./hourly-view.ts";

export interface LifecycleSettings {
  /** Readings older than this are compressed (Community), days. */
  readonly compress_after_days: number;
  /** Readings and their hours are dropped after this, days. */
  readonly retention_days: number;
}

const READINGS = "diagnostics_sensordata";
const REFRESH_EVERY = "30 minutes";
/** The hour that is not over is left out: it would be aggregated again at every run. */
const REFRESH_END = "1 hour";
const REFRESH_DAYS = 30;

interface Policy {
  readonly procedure: string;
  readonly relation: string;
  /** Intervals in the job's configuration. */
  readonly config: Readonly<Record<string, string>>;
  readonly schedule: string | null;
  readonly remove: string;
  readonly add: string;
}

/**
 * Everything the service wants to be there. The refresh begins later than the retention ends: a refresh over dropped
 * readings would empty those hours. What is older than its window the maintenance refreshes hour by hour.
 */
function wantedPolicies({ compress_after_days, retention_days }: LifecycleSettings): Policy[] {
  const keep = `${retention_days} days`;
  const start = `${Math.min(REFRESH_DAYS * 24, retention_days * 12)} hours`;
  const retention = (relation: string): Policy => ({
    procedure: "policy_retention",
    relation,
    config: { drop_after: keep },
    schedule: null,
    remove: `remove_retention_policy('${relation}', if_exists => true)`,
    add: `add_retention_policy('${relation}', drop_after => interval '${keep}')`,
  });
  return [
    {
      procedure: "policy_compression",
      relation: READINGS,
      config: { compress_after: `${compress_after_days} days` },
      schedule: null,
      remove: `remove_compression_policy('${READINGS}', if_exists => true)`,
      add: `add_compression_policy('${READINGS}', compress_after => interval '${compress_after_days} days')`,
    },
    retention(READINGS),
    retention(HOURLY_CAGG),
    {
      procedure: "policy_refresh_continuous_aggregate",
      relation: HOURLY_CAGG,
      config: { start_offset: start, end_offset: REFRESH_END },
      schedule: REFRESH_EVERY,
      remove: `remove_continuous_aggregate_policy('${HOURLY_CAGG}', if_exists => true)`,
      add: `add_continuous_aggregate_policy('${HOURLY_CAGG}', start_offset => interval '${start}',
        end_offset => interval '${REFRESH_END}', schedule_interval => interval '${REFRESH_EVERY}')`,
    },
  ];
}

/** Compression settings of the readings, when there are none. @returns what was changed */
export async function ensureCompression(session: DedicatedSession): Promise<string[]> {
  const [row] = await session.query<{ compression_enabled: boolean }>(
    `SELECT compression_enabled FROM timescaledb_information.hypertables
     WHERE hypertable_schema = current_schema() AND hypertable_name = $1`,
    [READINGS],
  );
  if (row?.compression_enabled) return [];
  await session.query(`ALTER TABLE ${READINGS} SET (timescaledb.compress, timescaledb.compress_segmentby = 'sensor_id',
    timescaledb.compress_orderby = '"timestamp" DESC')`);
  return ["compression of readings by sensor enabled"];
}

/** The materialized rows of the continuous aggregate, or null when there is none. */
async function materializedTable(session: DedicatedSession): Promise<MaterializedTable | null> {
  const [row] = await session.query<{ name: string }>(
    `SELECT format('%I.%I', materialization_hypertable_schema, materialization_hypertable_name) AS name
     FROM timescaledb_information.continuous_aggregates
     WHERE view_schema = current_schema() AND view_name = $1`,
    [HOURLY_CAGG],
  );
  return row?.name ?? null;
}

/** The continuous aggregate, made without data when it is missing. */
export async function ensureCagg(
  session: DedicatedSession,
): Promise<{ table: MaterializedTable; created: boolean }> {
  const known = await materializedTable(session);
  if (known !== null) return { table: known, created: false };
  await session.query(CREATE_CAGG_SQL);
  const table = await materializedTable(session);
  if (table === null) throw new Error(`${HOURLY_CAGG} is missing after it was created`);
  return { table, created: true };
}

/** Policies as wanted. @returns what was changed */
export async function ensurePolicies(
  session: DedicatedSession,
  settings: LifecycleSettings,
): Promise<string[]> {
  const changes: string[] = [];
  for (const policy of wantedPolicies(settings)) {
    if (await isInPlace(session, policy)) continue;
    await session.query(`SELECT ${policy.remove}`);
    await session.query(`SELECT ${policy.add}`);
    changes.push(`${policy.procedure} of ${policy.relation}: ${JSON.stringify(policy.config)}`);
  }
  return changes;
}

const JOBS_OF_POLICY = `SELECT
    (SELECT bool_and((j.config ->> w.key)::interval IS NOT DISTINCT FROM w.value::interval) FROM jsonb_each_text($1) w)
      AND ($2::interval IS NULL OR j.schedule_interval = $2) AS same
  FROM timescaledb_information.jobs j
  WHERE j.proc_name = $3 AND (
    (j.hypertable_schema = current_schema() AND j.hypertable_name = $4)
    OR EXISTS (SELECT FROM timescaledb_information.continuous_aggregates c
      WHERE c.view_schema = current_schema() AND c.view_name = $4
        AND c.materialization_hypertable_schema = j.hypertable_schema
        AND c.materialization_hypertable_name = j.hypertable_name))`;

/** Exactly one job of the kind, with the wanted intervals. A job on the aggregate is listed under either of its names. */
async function isInPlace(
  session: DedicatedSession,
  { procedure, relation, config, schedule }: Policy,
): Promise<boolean> {
  const jobs = await session.query<{ same: boolean }>(JOBS_OF_POLICY, [
    JSON.stringify(config),
    schedule,
    procedure,
    relation,
  ]);
  return jobs.length === 1 && jobs[0]!.same;
}
