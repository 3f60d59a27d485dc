/**
 * Brings what depends on the edition into the wanted shape, at every start after the migrations. Each step looks at
 * what is there and changes only what differs, so starting twice changes nothing, and a reconcile that was cut off
 * is finished by the next. Two programs at once are normal: an advisory lock puts them one behind the other.
 *
 * A database that comes from Apache to Community keeps its rollup: the view takes hours from it until the
 * maintenance has moved them into the continuous aggregate (src/store/cagg-refresh.ts).
 */
import { sleep } from "../ops/retry.ts";
import { ADVISORY_LOCKS } from "./advisory-locks.ts";
import { DedicatedSession } from "./dedicated-session.ts";
import { askForEdition, type Edition, EditionError } from "./edition.ts";
import { StoreUnavailableError, sqlState } from "./errors.ts";
import { HOURLY_CAGG, HOURLY_VIEW, hourlyViewSql, type MaterializedTable, viewMark } from "./hourly-view.ts";
import { ensureCagg, ensureCompression, ensurePolicies, type LifecycleSettings } from "./policies.ts";
import type { Database } from "./pool.ts";
import { ensureTextSearch } from "./text-search.ts";

/** Waiting for another program's reconcile and one scan of all readings included. */
const RECONCILE_DEADLINE_MS = 900_000;
/** Ingest never waits longer than this behind a change of definitions. */
const LOCK_TIMEOUT = "3s";
const ATTEMPTS = 20;
const LOCK_AGAIN_MS = 50;

export interface Reconciled {
  readonly edition: Edition;
  /** What was changed now, for people; empty at a second start. */
  readonly changes: readonly string[];
}

/**
 * @param as_edition the edition to act for instead of the server's own; only Apache on Community works (for tests)
 * @throws {EditionError} when the server's edition cannot serve this database
 * @throws {StoreUnavailableError} when the database cannot be reached, or a lock is never free
 */
export async function reconcile(
  database: Database,
  settings: LifecycleSettings,
  as_edition?: Edition,
): Promise<Reconciled> {
  return database.run(
    "reconcile",
    async () => {
      const session = await DedicatedSession.open({
        url: database.url,
        application_name: "hydraulic-ingest",
        statement_deadline_ms: RECONCILE_DEADLINE_MS,
      });
      try {
        await takeLock(session);
        await session.query(`SET lock_timeout = '${LOCK_TIMEOUT}'`);
        const edition = as_edition ?? (await askForEdition((text) => session.query(text)));
        const changes = await apply(session, edition, settings);
        return { edition, changes: [...changes, ...(await ensureTextSearch(session))] };
      } finally {
        await session.close();
      }
    },
    RECONCILE_DEADLINE_MS,
  );
}

/**
 * Asked for again and again, not waited for in one statement: that would be a transaction which the index of
 * src/store/text-search.ts, made without a lock, would wait for in turn.
 * @throws {StoreUnavailableError}
 */
async function takeLock(session: DedicatedSession): Promise<void> {
  const end_ms = performance.now() + RECONCILE_DEADLINE_MS;
  while (!(await session.tryLock(ADVISORY_LOCKS.reconcile))) {
    if (performance.now() > end_ms)
      throw new StoreUnavailableError("another program reconciles all the time");
    await sleep(LOCK_AGAIN_MS);
  }
}

async function apply(
  session: DedicatedSession,
  edition: Edition,
  settings: LifecycleSettings,
): Promise<string[]> {
  if (edition === "apache") {
    await refuseCommunityData(session);
    return ensureView(session, edition, null, false);
  }
  const definitions = await patiently(session, async () => {
    const changes = await ensureCompression(session);
    const cagg = await ensureCagg(session);
    if (cagg.created) changes.push(`continuous aggregate ${HOURLY_CAGG} created`);
    changes.push(...(await ensurePolicies(session, settings)));
    return { changes, cagg };
  });
  const { table, created } = definitions.cagg;
  return [...definitions.changes, ...(await ensureView(session, edition, table, created))];
}

/**
 * The Apache edition cannot read compressed chunks, nor write to readings that have a continuous aggregate.
 * @throws {EditionError}
 */
async function refuseCommunityData(session: DedicatedSession): Promise<void> {
  const [found] = await session.query<{ chunks: number; cagg: boolean }>(
    `SELECT (SELECT count(*)::int FROM timescaledb_information.chunks WHERE hypertable_schema = current_schema()
         AND hypertable_name = 'diagnostics_sensordata' AND is_compressed) AS chunks,
       EXISTS (SELECT FROM timescaledb_information.continuous_aggregates
         WHERE view_schema = current_schema() AND view_name = $1) AS cagg`,
    [HOURLY_CAGG],
  );
  if (!found || (found.chunks === 0 && !found.cagg)) return;
  throw new EditionError(
    `This database was kept by TimescaleDB Community (${found.chunks} compressed chunks${found.cagg ? ", a continuous aggregate" : ""}), and this server is the Apache edition, which cannot read or keep them. Start the Community server again; docs/operate-editions.md says how to move back on it`,
  );
}

/**
 * The view over the edition's aggregate. When there is no earlier view whose hours are known, every hour with readings
 * becomes dirty first: written in that order, the view is right from its first moment.
 */
async function ensureView(
  session: DedicatedSession,
  edition: Edition,
  materialized: MaterializedTable | null,
  caggIsNew: boolean,
): Promise<string[]> {
  const definition = hourlyViewSql(materialized);
  const mark = viewMark(edition, definition);
  const [view] = await session.query<{ mark: string | null }>(
    "SELECT obj_description(to_regclass($1), 'pg_class') AS mark",
    [HOURLY_VIEW],
  );
  const before = view?.mark ?? null;
  if (before === mark) return [];
  const changes = [`view ${HOURLY_VIEW} made for the ${edition} edition`];
  const rollupIsWhole = before?.startsWith("apache") === true;
  if (before === null || (caggIsNew && !rollupIsWhole)) {
    const hours = await markEveryHour(session);
    if (hours > 0) changes.push(`${hours} hours to be aggregated`);
  }
  await patiently(session, async () => {
    await session.query(definition);
    await session.query(`COMMENT ON VIEW ${HOURLY_VIEW} IS '${mark}'`);
  });
  return changes;
}

/** One scan of all readings. @returns hours of systems that were not known to be dirty */
async function markEveryHour(session: DedicatedSession): Promise<number> {
  const [row] = await session.query<{ hours: number }>(
    `WITH marked AS (
       INSERT INTO diagnostics_dirty_hour_taken (system_id, hour, first_taken_at, last_taken_at)
       SELECT DISTINCT system_id, time_bucket('1 hour', "timestamp"), now(), now() FROM diagnostics_sensordata
       ON CONFLICT (system_id, hour) DO NOTHING RETURNING 1)
     SELECT count(*)::int AS hours FROM marked`,
  );
  return row?.hours ?? 0;
}

/** One transaction, again while a lock is not free (55P03) or a deadlock was found (40P01). */
async function patiently<T>(session: DedicatedSession, work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await session.transaction(work);
    } catch (error) {
      const state = sqlState(error);
      if ((state !== "55P03" && state !== "40P01") || attempt === ATTEMPTS) throw error;
    }
  }
}
