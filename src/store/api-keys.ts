/** API keys: made, listed, changed, rotated and revoked. Each change is one statement, its audit row included. */
import { type KeyChange, type KeyView, MAX_KEYS } from "../contract/access.ts";
import type { Reach } from "../contract/reach.ts";
import type { Scope } from "../contract/roles.ts";
import { AccountError } from "./account-errors.ts";
import type { Actor } from "./audit.ts";
import { type Database, type Fragment, type Sql, uuids } from "./pool.ts";

/** Who asks: owners see their own keys, admins those of all accounts that they reach. */
export interface KeyViewer {
  readonly actor: Actor;
  /** Null: the actor is no admin. */
  readonly admin: { readonly reach: Reach } | null;
}

/** A key as it is kept. */
export interface NewKey {
  readonly id: string;
  readonly prefix: string;
  /** SHA-256, hex. */
  readonly hash: string;
  readonly user_id: string;
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly systems: Reach;
  readonly requests_per_minute: number | null;
  readonly readings_per_minute: number | null;
  readonly expires_at: Date | null;
}

export interface KeyFilter {
  readonly user_id: string | null;
  /** `active`: neither revoked nor expired. */
  readonly state: "active" | "over" | "any";
  readonly limit: number;
  /** Id of the last one seen. */
  readonly after: string | null;
}

type KeyRow = Omit<KeyView, "created_at" | "expires_at" | "revoked_at" | "last_used_at"> &
  Readonly<Record<"created_at", Date> & Record<"expires_at" | "revoked_at" | "last_used_at", Date | null>>;

const isActive = (sql: Sql) =>
  sql`(k.revoked_at IS NULL AND coalesce(k.expires_at, 'infinity') > clock_timestamp())`;

/** True when the owner may have one more key in use; those who make keys for one owner at once come one after another. */
const hasRoom = (sql: Sql, owner: Fragment) => sql`diagnostics_keys_in_use(${owner}) < ${MAX_KEYS}`;

/** Conditions on the account `u` of a key. */
function visible(sql: Sql, { actor, admin }: KeyViewer) {
  if (admin === null) return sql`u.id = ${actor.id}`;
  if (admin.reach === null) return sql`true`;
  return sql`(u.id = ${actor.id} OR u.systems <@ ${uuids(sql, admin.reach)}::uuid[])`;
}

/** As the record keeps it, of the row `k`. */
const shown = (sql: Sql) => sql`json_build_object('name', k.name, 'prefix', k.prefix, 'user_id', k.user_id,
  'scopes', k.scopes, 'systems', k.systems, 'requests_per_minute', k.requests_per_minute,
  'readings_per_minute', k.readings_per_minute, 'expires_at', k.expires_at)`;

export class ApiKeyStore {
  constructor(private readonly database: Database) {}

  /** Newest first; one more than the limit when there are more. @throws {StoreUnavailableError} */
  async list(viewer: KeyViewer, { user_id, state, limit, after }: KeyFilter): Promise<KeyView[]> {
    const rows = await this.database.run(
      "list of keys",
      (sql) => sql<KeyRow[]>`${this.#select(sql, viewer)}
        ${user_id === null ? sql`` : sql`AND k.user_id = ${user_id}`}
        ${after === null ? sql`` : sql`AND k.id < ${after}`}
        ${state === "any" ? sql`` : state === "active" ? sql`AND ${isActive(sql)}` : sql`AND NOT ${isActive(sql)}`}
        ORDER BY k.id DESC LIMIT ${limit + 1}`,
    );
    return rows.map(toView);
  }

  /** Null: unknown, or out of the viewer's sight. @throws {StoreUnavailableError} */
  async get(id: string, viewer: KeyViewer): Promise<KeyView | null> {
    const rows = await this.database.run(
      "key by id",
      (sql) => sql<KeyRow[]>`${this.#select(sql, viewer)} AND k.id = ${id}`,
    );
    return rows[0] ? toView(rows[0]) : null;
  }

  #select(sql: Sql, viewer: KeyViewer) {
    return sql`
      SELECT k.id, k.name, k.prefix, k.user_id, u.username, to_json(k.scopes) AS scopes, to_json(k.systems) AS systems,
        k.requests_per_minute::float8 AS requests_per_minute, k.readings_per_minute::float8 AS readings_per_minute,
        k.created_at, k.expires_at, k.revoked_at, k.last_used_at
      FROM diagnostics_api_key k JOIN diagnostics_user u ON u.id = k.user_id WHERE ${visible(sql, viewer)}`;
  }

  /** @throws {AccountError} user_not_found, too_many_keys @throws {StoreUnavailableError} */
  async create(key: NewKey, viewer: KeyViewer, note: string | null): Promise<void> {
    const [outcome] = await this.database.run(
      "create key",
      (sql) => sql<{ found: boolean; created: boolean }[]>`
        WITH owner AS (SELECT u.id FROM diagnostics_user u WHERE u.id = ${key.user_id} AND ${visible(sql, viewer)}),
        created AS (
          INSERT INTO diagnostics_api_key (id, user_id, name, prefix, hash, scopes, systems, requests_per_minute,
            readings_per_minute, expires_at, created_by)
          SELECT ${key.id}::uuid, id, ${key.name}, ${key.prefix}, decode(${key.hash}, 'hex'),
            ${sql.array([...key.scopes], 1009)}::text[], ${uuids(sql, key.systems)}::uuid[],
            ${key.requests_per_minute}::bigint, ${key.readings_per_minute}::bigint,
            ${key.expires_at}::timestamptz, ${viewer.actor.id}::uuid
          FROM owner WHERE ${hasRoom(sql, sql`owner.id`)} RETURNING *),
        noted AS (${this.#note(sql, viewer.actor, note, "key.create", "new")} FROM created k)
        SELECT EXISTS (SELECT FROM owner) AS found, EXISTS (SELECT FROM created) AS created`,
    );
    if (!outcome?.found) throw new AccountError("user_not_found");
    if (!outcome.created) throw new AccountError("too_many_keys");
  }

  /**
   * Change name or limits; what is undefined stays.
   * @throws {AccountError} key_not_found, key_over @throws {StoreUnavailableError}
   */
  async change(id: string, change: KeyChange, viewer: KeyViewer, note: string | null): Promise<void> {
    const { name, requests_per_minute: requests, readings_per_minute: readings } = change;
    await this.#changed(
      id,
      viewer,
      note,
      "key.change",
      (sql) => sql`
      name = coalesce(${name ?? null}, c.name),
      requests_per_minute = CASE WHEN ${requests !== undefined} THEN ${requests ?? null}::bigint ELSE c.requests_per_minute END,
      readings_per_minute = CASE WHEN ${readings !== undefined} THEN ${readings ?? null}::bigint ELSE c.readings_per_minute END`,
    );
  }

  /** Nothing happens to a key that is over. @throws {AccountError} key_not_found @throws {StoreUnavailableError} */
  async revoke(id: string, viewer: KeyViewer): Promise<void> {
    const revoked = this.#changed(
      id,
      viewer,
      null,
      "key.revoke",
      (sql) => sql`
      revoked_at = clock_timestamp(), revoked_by = ${viewer.actor.id}::uuid`,
    );
    await revoked.catch((error: unknown) => {
      if (!(error instanceof AccountError && error.fault === "key_over")) throw error;
    });
  }

  /**
   * End a key in favour of a new one that is the same but for id, prefix and hash.
   * @param overlap_s the old key goes on for so long, as one of those in use
   * @throws {AccountError} key_not_found, key_over, too_many_keys @throws {StoreUnavailableError}
   */
  async rotate(
    id: string,
    fresh: Pick<NewKey, "id" | "prefix" | "hash">,
    overlap_s: number,
    viewer: KeyViewer,
    note: string | null,
  ): Promise<void> {
    const end = (sql: Sql) =>
      overlap_s === 0
        ? sql`revoked_at = clock_timestamp(), revoked_by = ${viewer.actor.id}::uuid`
        : sql`expires_at = least(c.expires_at, clock_timestamp() + make_interval(secs => ${overlap_s}))`;
    await this.#changed(id, viewer, note, "key.rotate", end, {
      admits: (sql) => (overlap_s === 0 ? sql`true` : hasRoom(sql, sql`k.user_id`)),
      beside: (sql) => sql`, successor AS (
      INSERT INTO diagnostics_api_key (id, user_id, name, prefix, hash, scopes, systems, requests_per_minute,
        readings_per_minute, expires_at, created_by)
      SELECT ${fresh.id}::uuid, k.user_id, k.name, ${fresh.prefix}, decode(${fresh.hash}, 'hex'), k.scopes, k.systems,
        k.requests_per_minute, k.readings_per_minute, k.expires_at, ${viewer.actor.id}::uuid
      FROM k WHERE EXISTS (SELECT FROM changed) RETURNING *),
      succeeded AS (${this.#note(sql, viewer.actor, note, "key.create", "new")} FROM successor k)`,
    });
  }

  /**
   * @param admits a condition on the key as it was, `k`; without it there are too many
   * @param beside further members of the WITH; `changed` is empty when nothing was
   */
  async #changed(
    id: string,
    viewer: KeyViewer,
    note: string | null,
    action: string,
    assignments: (sql: Sql) => Fragment,
    {
      admits = (sql) => sql`true`,
      beside = (sql) => sql``,
    }: Partial<Record<"admits" | "beside", (sql: Sql) => Fragment>> = {},
  ): Promise<void> {
    const [outcome] = await this.database.run(
      "change key",
      (sql) => sql<{ found: boolean; active: boolean; changed: boolean }[]>`
        WITH k AS (
          SELECT k.*, ${isActive(sql)} AS is_active, ${admits(sql)} AS is_admitted FROM diagnostics_api_key k JOIN diagnostics_user u ON u.id = k.user_id
          WHERE k.id = ${id} AND ${visible(sql, viewer)} FOR UPDATE OF k),
        changed AS (
          UPDATE diagnostics_api_key c SET ${assignments(sql)} FROM k
          WHERE c.id = k.id AND k.is_active AND k.is_admitted RETURNING c.*),
        noted AS (${this.#note(sql, viewer.actor, note, action, "changed")} FROM changed, k)
        ${beside(sql)}
        SELECT EXISTS (SELECT FROM k) AS found, EXISTS (SELECT FROM k WHERE is_active) AS active,
          EXISTS (SELECT FROM changed) AS changed`,
    );
    if (!outcome?.found) throw new AccountError("key_not_found");
    if (!outcome.active) throw new AccountError("key_over");
    if (!outcome.changed) throw new AccountError("too_many_keys");
  }

  /** The record of a change: before is the row `k`, after the row `changed`, or `k` where nothing was before. */
  #note(sql: Sql, actor: Actor, note: string | null, action: string, kind: "new" | "changed") {
    const [before, after] =
      kind === "new"
        ? [sql`NULL::json`, shown(sql)]
        : [shown(sql), sql`(SELECT ${shown(sql)} FROM changed k)`];
    return sql`
      INSERT INTO diagnostics_audit (actor, actor_name, action, subject_type, subject_id, before, after, note)
      SELECT ${actor.id}::uuid, ${actor.name}, ${action}, 'key', k.id, ${before}, ${after}, ${note}`;
  }
}

const text = (at: Date | null) => at?.toISOString() ?? null;
const toView = (row: KeyRow): KeyView => ({
  ...row,
  created_at: row.created_at.toISOString(),
  expires_at: text(row.expires_at),
  revoked_at: text(row.revoked_at),
  last_used_at: text(row.last_used_at),
});
