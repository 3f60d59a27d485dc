/**
 * Quarantined readings in the service's own tables, so that its triggers count them: four rigs over 14 days, in the
 * order of their arrival. Of 100 sensors half refuse a little of everything all the time, which makes few incidents of
 * two weeks each; the others fail for a while, which makes thousands of short ones. 2,000 more refuse one reading now
 * and then, nearly each of which is an incident of its own. The last rig sends its readings in large batches.
 */
import type postgres from "postgres";

export const SENSORS = 100;
export const SYSTEMS = 4;
const DAYS = 14;
/** Sensors that have no readings but those that are refused now and then. */
const LONE_SENSORS = 2_000;
/** Readings of one refusal all the time, and lone ones; the rest comes in episodes. */
const STEADY_SHARE = 0.5;
const LONE_SHARE = 0.2;
/** Readings of an episode, on average. */
const EPISODE_READINGS = 110;
const SLICES_PER_DAY = 2;

/** Ids are made of numbers, so that requests can name them. */
export const systemId = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, "0")}`;
export const sensorId = (n: number) => `00000000-0000-4000-9000-${String(n).padStart(12, "0")}`;
const SENSOR_SQL = (n: string) => `('00000000-0000-4000-9000-' || lpad((${n})::text, 12, '0'))::uuid`;
const SYSTEM_SQL = (n: string) => `('00000000-0000-4000-8000-' || lpad((${n})::text, 12, '0'))::uuid`;
const REASONS = `ARRAY['out_of_range', 'invalid_unit', 'duplicate', 'invalid_timestamp', 'parse_error', 'system_not_found']`;

/** Registered systems and sensors, all of them measuring pressure. */
export async function addRegistry(sql: postgres.Sql): Promise<void> {
  await sql.unsafe(`INSERT INTO diagnostics_system (id, name)
    SELECT ${SYSTEM_SQL("n")}, 'Rig ' || n FROM generate_series(1, ${SYSTEMS}) n`);
  await sql.unsafe(`INSERT INTO diagnostics_sensor (id, system_id, name, quantity, unit)
    SELECT ${SENSOR_SQL("n")}, ${SYSTEM_SQL(`1 + n % ${SYSTEMS}`)}, 'pressure ' || n, 'pressure', 'bar'
    FROM generate_series(1, ${SENSORS + LONE_SENSORS}) n`);
}

/** Good readings of every sensor, one every two minutes. */
export async function addReadings(sql: postgres.Sql): Promise<void> {
  await sql.unsafe(`INSERT INTO diagnostics_sensordata ("timestamp", sensor_id, system_id, value, unit, quality)
    SELECT at, ${SENSOR_SQL("n")}, ${SYSTEM_SQL(`1 + n % ${SYSTEMS}`)}, 100 + 50 * sin(extract(epoch FROM at) / 600), 'bar', 95
    FROM generate_series(1, ${SENSORS}) n,
      generate_series(date_trunc('hour', now()) - interval '${DAYS} days', now(), interval '2 minutes') at`);
}

/** What is refused when, and how it was decided, in a table of the session's. `chance` decides the status and nothing else. */
async function plan(sql: postgres.Sql, rows: number): Promise<void> {
  const [steady, lone] = [Math.floor(rows * STEADY_SHARE), Math.floor(rows * LONE_SHARE)];
  const episodic = rows - steady - lone;
  const series = (SENSORS / 2) * 6;
  await sql.unsafe("SELECT setseed(0.25)");
  await sql.unsafe(`CREATE TEMPORARY TABLE planned AS
    SELECT n % ${SENSORS / 2} + 1 AS sensor, (${REASONS})[1 + n / ${SENSORS / 2} % 6] AS reason,
      now() - interval '${DAYS} days' * (n / ${series} + random()) / ${Math.ceil(steady / series)} AS at,
      random() AS chance, 0.5 AS decided
    FROM generate_series(0, ${steady - 1}) n`);
  // Old episodes are decided on, new ones wait.
  await sql.unsafe(`WITH episode AS (
      SELECT ${SENSORS / 2} + 1 + n % ${SENSORS / 2} AS sensor, (${REASONS})[1 + floor(random() ^ 2 * 6)::int] AS reason, begun,
        interval '1 second' * (60 + random() ^ 3 * 10800) AS length, 1 + floor(random() * ${2 * EPISODE_READINGS})::int AS n,
        CASE WHEN begun < now() - interval '3 days' AND random() < 0.8 THEN 1.0 ELSE 0.0 END AS decided
      FROM (SELECT n, now() - interval '${DAYS} days' * random() AS begun
        FROM generate_series(0, ${Math.ceil((episodic / EPISODE_READINGS) * 1.1)}) n) b)
    INSERT INTO planned
    SELECT sensor, reason, least(now(), begun + length * i / n), random(), decided
    FROM episode, generate_series(1, n) i LIMIT ${episodic}`);
  await sql.unsafe(`INSERT INTO planned
    SELECT ${SENSORS} + 1 + n % ${LONE_SENSORS}, (${REASONS})[1 + floor(random() * 6)::int],
      now() - interval '${DAYS} days' * random(), random(), 0.5
    FROM generate_series(0, ${lone - 1}) n`);
}

/** By what the rules write (src/contract/rule-details.ts). */
const DETAILS = `CASE reason
  WHEN 'out_of_range' THEN 'pressure ' || value || ' bar is above 700 bar (ISO 4413)'
  WHEN 'invalid_unit' THEN 'unit "' || (ARRAY['furlong', 'Bar ', 'psii', 'kg/cm', 'Фурлонг'])[1 + floor(other * 5)::int] ||
    '" is not known; known are bar, celsius, lpm, rpm, W, kW, mm/s, %, V, A, mm, … and their aliases'
  WHEN 'duplicate' THEN value || ' bar differs from ' || value - 3.5 || ' bar, which this sensor already has at this timestamp'
  WHEN 'invalid_timestamp' THEN 'timestamp "' || at + interval '3 days' || '" is 3 d after it was received (at most 5 min)'
  WHEN 'parse_error' THEN 'value is missing' ELSE 'system ' || ${SYSTEM_SQL(String(SYSTEMS + 1))} || ' is not registered' END`;

/** Refusals of all reasons and statuses. */
export async function addRefusals(sql: postgres.Sql, rows: number, stop: AbortSignal): Promise<void> {
  const session = await sql.reserve();
  try {
    await plan(session, rows);
    await session.unsafe(`CREATE TEMPORARY TABLE arrived AS
      SELECT *, date_trunc('minute', at) + interval '1 minute' AS quarantined_at, round((700 + other * 300)::numeric, 1) AS value,
        CASE reason WHEN 'system_not_found' THEN ${SYSTEMS + 1} ELSE 1 + sensor % ${SYSTEMS} END AS system
      FROM (SELECT *, chance * 7919 - floor(chance * 7919) AS other FROM planned) p`);
    await session.unsafe("CREATE INDEX ON arrived (quarantined_at)");
    await session.unsafe("ANALYZE arrived");
    for (let slice = DAYS * SLICES_PER_DAY; slice >= 0; slice -= 1) {
      stop.throwIfAborted();
      await session.unsafe(insertSlice(slice));
    }
  } finally {
    session.release();
  }
}

/** One statement, as a COPY of the writer's is. A job is what a system sent within a minute, of the last rig within a slice. */
const insertSlice = (slice: number) => `
  INSERT INTO diagnostics_quarantined_reading (job_id, ordinal, system_id, sensor_id, "timestamp", value, unit, quality, raw,
    reason, reason_details, review_status, quarantined_at)
  SELECT md5(system || ' ' || batch)::uuid, row_number() OVER (PARTITION BY system, batch ORDER BY sensor, at) - 1,
    ${SYSTEM_SQL("system")}, CASE WHEN reason <> 'parse_error' OR other < 0.8 THEN ${SENSOR_SQL("sensor")} END, stamp,
    CASE WHEN reason <> 'parse_error' THEN value END, 'bar', 95,
    json_build_object('sensor_id', ${SENSOR_SQL("sensor")}, 'timestamp', stamp, 'value', value, 'unit', 'bar', 'quality', 95),
    reason, ${DETAILS},
    CASE WHEN chance >= decided THEN 'pending' WHEN chance < decided * 0.5 THEN 'rejected'
      WHEN chance < decided * 0.8 THEN 'approved' ELSE 'fixed' END,
    quarantined_at
  FROM (SELECT *, CASE WHEN reason = 'invalid_timestamp' THEN at + interval '3 days' ELSE at END AS stamp,
    CASE system WHEN ${SYSTEMS} THEN 'slice ${slice}' ELSE quarantined_at::text END AS batch FROM arrived) a
  WHERE quarantined_at >= date_trunc('hour', now()) - interval '${24 / SLICES_PER_DAY} hours' * ${slice}
    AND quarantined_at < date_trunc('hour', now()) - interval '${24 / SLICES_PER_DAY} hours' * ${slice - 1}
    OR (${slice} = ${DAYS * SLICES_PER_DAY} AND quarantined_at < date_trunc('hour', now()) - interval '${DAYS} days')
  ORDER BY quarantined_at, system, sensor, at`;

/**
 * Pending refusals of one kind over the same sensors and days, each with a key of its own.
 * @param valid an approval stores them
 */
export async function addPending(
  sql: postgres.Sql,
  reason: "out_of_range" | "invalid_unit",
  rows: number,
  stop: AbortSignal,
): Promise<void> {
  const PIECE = 50_000;
  // Keys of their own, so that what one decision stores cannot be taken for the other's.
  const [unit, shift_s] = reason === "out_of_range" ? ["bar", 0] : ["furlong", 1];
  const details =
    reason === "out_of_range"
      ? `'pressure ' || value || ' bar is above 700 bar (ISO 4413)'`
      : `'unit "furlong" is not known'`;
  const every_s = Math.floor((DAYS * 86_400 * SENSORS) / rows);
  const [end] = await sql<{ at: Date }[]>`SELECT date_trunc('hour', now()) AS at`;
  for (let from = 0; from < rows; from += PIECE) {
    stop.throwIfAborted();
    await sql.unsafe(
      `INSERT INTO diagnostics_quarantined_reading (job_id, ordinal, system_id, sensor_id, "timestamp", value, unit, quality,
        raw, reason, reason_details, quarantined_at)
      SELECT md5('${reason}' || n / 1000)::uuid, n % 1000, system_id, sensor_id, at, value, '${unit}', 95,
        json_build_object('sensor_id', sensor_id, 'timestamp', to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
          'value', value, 'unit', '${unit}', 'quality', 95),
        '${reason}', ${details}, at + interval '1 s'
      FROM generate_series(${from}, ${Math.min(rows, from + PIECE) - 1}) n,
        LATERAL (SELECT ${SENSOR_SQL(`1 + n % ${SENSORS}`)} AS sensor_id, ${SYSTEM_SQL(`1 + (1 + n % ${SENSORS}) % ${SYSTEMS}`)} AS system_id,
          $1::timestamptz - interval '${DAYS} days' + n / ${SENSORS} * interval '${every_s} s' + interval '${shift_s} s' AS at, 700.5 + n % 977 AS value) v`,
      [end!.at],
    );
  }
}

/** The batches that all refusals came with. */
export async function addJobs(sql: postgres.Sql, user_id: string): Promise<void> {
  await sql.unsafe(
    `INSERT INTO diagnostics_ingestion_job (id, status, total_readings, quarantined_readings, created_at, started_at,
      completed_at, system_id, created_by)
    SELECT job_id, CASE WHEN hashtext(job_id::text) % 500 = 0 THEN 'failed' ELSE 'completed' END, count(*), count(*),
      min(quarantined_at), min(quarantined_at), min(quarantined_at), system_id, $1
    FROM diagnostics_quarantined_reading GROUP BY job_id, system_id ON CONFLICT DO NOTHING`,
    [user_id],
  );
}

/** Decisions, their record, and alerts, as many as the refusals would have had. What is rare in the record is old, too. */
export async function addOversight(sql: postgres.Sql, user_id: string): Promise<void> {
  await sql.unsafe(
    `INSERT INTO diagnostics_review_task (id, action, state, actor, actor_name, selection, selected, last_id, done, changed,
      created_at, started_at, completed_at, systems)
    SELECT gen_random_uuid(), (ARRAY['approve', 'fix', 'reject'])[1 + n % 3], CASE n % 1000 WHEN 0 THEN 'failed' ELSE 'completed' END,
      $1, 'bench', '{"filter":{}}', 100, 0, 100, 100, at, at, at, CASE WHEN n % 8 < 4 THEN ARRAY[${SYSTEM_SQL(`1 + n % ${SYSTEMS}`)}] END
    FROM generate_series(1, 5000) n, LATERAL (SELECT now() - n * interval '4 minutes' AS at) t`,
    [user_id],
  );
  await sql.unsafe(
    `INSERT INTO diagnostics_audit (at, actor, actor_name, action, subject_type, subject_id, system_id)
    SELECT now() - interval '${DAYS + 1} days', $1, 'bench', (ARRAY['user.create', 'dead_letter.replay', 'reject', 'alert.raise'])[1 + n % 4],
      (ARRAY['user', 'dead_letter', 'task', 'alert'])[1 + n % 4], n::text, CASE n % 3 WHEN 0 THEN ${SYSTEM_SQL(String(SYSTEMS + 2))} END
    FROM generate_series(1, 2000) n`,
    [user_id],
  );
  await sql.unsafe(
    `INSERT INTO diagnostics_audit (at, actor, actor_name, action, subject_type, subject_id, system_id, before, after)
    SELECT quarantined_at + interval '1 hour', $1, 'bench', CASE review_status WHEN 'rejected' THEN 'reject'
      WHEN 'approved' THEN 'approve' ELSE 'fix' END, 'reading', id::text, system_id, json_build_object('review_status', 'pending'),
      json_build_object('review_status', review_status, 'value', value, 'unit', unit)
    FROM diagnostics_quarantined_reading WHERE review_status <> 'pending' ORDER BY quarantined_at, id`,
    [user_id],
  );
  await sql.unsafe(`INSERT INTO diagnostics_quarantine_alert (system_id, raised_at, updated_at, resolved_at, share, peak_share,
      readings, quarantined, share_limit, window_s)
    SELECT ${SYSTEM_SQL(`1 + n % ${SYSTEMS}`)}, at, at, CASE WHEN n > 4 THEN at + interval '5 minutes' END, 0.1, 0.2, 1000, 100,
      0.05, 3600
    FROM generate_series(2000, 1, -1) n, LATERAL (SELECT now() - n * interval '10 minutes' AS at) t`);
}

/** What autovacuum does in its own time. */
export async function vacuum(sql: postgres.Sql): Promise<void> {
  await sql.unsafe("VACUUM ANALYZE");
}
