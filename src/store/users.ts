/** Users: who may send, and how much. Each change is one statement (see registry-state.ts), its audit row included. */
import type { UserChange, UserView } from "../contract/access.ts";
import type { Reach } from "../contract/reach.ts";
import type { Role } from "../contract/roles.ts";
import { AccountError } from "./account-errors.ts";
import type { Actor } from "./audit.ts";
import { sqlState } from "./errors.ts";
import { type Database, type Fragment, type Sql, uuids } from "./pool.ts";

export { ROLES, type Role } from "../contract/roles.ts";

export interface User {
  readonly id: string;
  readonly username: string;
  /** Argon2id in PHC string format; null: an outside identity, which has no password here. */
  readonly password_hash: string | null;
  readonly role: Role;
  /** Null: the limit of the configuration. */
  readonly requests_per_minute: number | null;
  readonly readings_per_minute: number | null;
  readonly active: boolean;
  readonly systems: Reach;
  /** Tokens of an earlier version are refused. */
  readonly token_version: number;
}

export type NewUser = Omit<User, "id" | "active" | "systems" | "token_version"> & {
  readonly password_hash: string;
  readonly systems?: Reach;
};

/** Who changes an account, for the record; and which accounts the actor reaches. */
export interface ChangedBy {
  readonly actor: Actor;
  readonly reach: Reach;
  readonly note: string | null;
}

/** The name is taken. */
export class UserExistsError extends Error {
  override readonly name = "UserExistsError";
}

/** Arrays leave the database as JSON: the pool knows no array types. */
const columns = (sql: Sql, table = "diagnostics_user") => {
  const t = sql(table);
  return sql`${t}.id, ${t}.username, ${t}.role, ${t}.active, to_json(${t}.systems) AS systems,
    ${t}.requests_per_minute::float8 AS requests_per_minute, ${t}.readings_per_minute::float8 AS readings_per_minute`;
};

/** Admins who are limited to systems see the accounts that are limited to some of these. */
const reached = (sql: Sql, reach: Reach) =>
  reach === null ? sql`true` : sql`systems <@ ${uuids(sql, reach)}::uuid[]`;
const rules = (sql: Sql) => sql`role = 'admin' AND active AND systems IS NULL AND issuer IS NULL`;
const shown = (sql: Sql, table: string) => {
  const t = sql(table);
  return sql`json_build_object('username', ${t}.username, 'role', ${t}.role, 'active', ${t}.active, 'systems', ${t}.systems,
    'requests_per_minute', ${t}.requests_per_minute, 'readings_per_minute', ${t}.readings_per_minute)`;
};

export class UserStore {
  constructor(private readonly database: Database) {}

  /** @throws {StoreUnavailableError} */
  async findByName(username: string): Promise<User | null> {
    return this.#find((sql) => sql`username = ${username}`);
  }

  /** @throws {StoreUnavailableError} */
  async findById(id: string): Promise<User | null> {
    return this.#find((sql) => sql`id = ${id}`);
  }

  async #find(condition: (sql: Sql) => Fragment): Promise<User | null> {
    const rows = await this.database.run(
      "user to log in",
      (sql) => sql<User[]>`
        SELECT ${columns(sql)}, password_hash, token_version FROM diagnostics_user WHERE ${condition(sql)}`,
    );
    return rows[0] ?? null;
  }

  /** An account as admins see it; null: unknown, or out of reach. @throws {StoreUnavailableError} */
  async get(id: string, reach: Reach): Promise<UserView | null> {
    const rows = await this.database.run(
      "user by id",
      (sql) => sql<(Omit<UserView, "created_at"> & { created_at: Date })[]>`
        SELECT ${columns(sql)}, issuer, created_at FROM diagnostics_user WHERE id = ${id} AND ${reached(sql, reach)}`,
    );
    const [row] = rows;
    return row ? { ...row, created_at: row.created_at.toISOString() } : null;
  }

  /**
   * @param by null: the service itself, which leaves no record
   * @returns the id of the new user
   * @throws {UserExistsError} @throws {StoreUnavailableError}
   */
  async create(user: NewUser, by: Omit<ChangedBy, "reach"> | null = null): Promise<string> {
    const id = Bun.randomUUIDv7();
    try {
      await this.database.run(
        "create user",
        (sql) => sql`
          WITH created AS (
            INSERT INTO diagnostics_user
              (id, username, password_hash, role, systems, requests_per_minute, readings_per_minute)
            VALUES (${id}, ${user.username}, ${user.password_hash}, ${user.role},
              ${uuids(sql, user.systems ?? null)}, ${user.requests_per_minute}, ${user.readings_per_minute})
            RETURNING *)
          INSERT INTO diagnostics_audit (actor, actor_name, action, subject_type, subject_id, after, note)
          SELECT ${by?.actor.id ?? null}::uuid, ${by?.actor.name ?? ""}, 'user.create', 'user', id,
            ${shown(sql, "created")}, ${by?.note ?? null}
          FROM created WHERE ${by !== null}`,
      );
    } catch (error) {
      if (sqlState(error) === "23505") throw new UserExistsError(`the user name ${user.username} is taken`);
      throw error;
    }
    return id;
  }

  /**
   * Change an account; what is undefined stays. Tokens end with a change of the role and with deactivation.
   * The lock keeps two admins from each leaving the other as the last one and both going.
   * @throws {AccountError} user_not_found, last_admin @throws {StoreUnavailableError}
   */
  async change(id: string, change: UserChange, { actor, reach, note }: ChangedBy): Promise<void> {
    const { role, active, systems, requests_per_minute: requests, readings_per_minute: readings } = change;
    const [outcome] = await this.database.run(
      "change user",
      (sql) => sql<{ found: boolean; changed: boolean }[]>`
        WITH locked AS (
          SELECT * FROM diagnostics_user WHERE id = ${id} OR (${rules(sql)}) ORDER BY id FOR UPDATE),
        wanted AS (
          SELECT id, coalesce(${role ?? null}, role) AS role, coalesce(${active ?? null}::boolean, active) AS active,
            CASE WHEN ${systems !== undefined} THEN ${uuids(sql, systems ?? null)}::uuid[] ELSE systems END AS systems,
            CASE WHEN ${requests !== undefined} THEN ${requests ?? null}::bigint ELSE requests_per_minute END AS requests,
            CASE WHEN ${readings !== undefined} THEN ${readings ?? null}::bigint ELSE readings_per_minute END AS readings
          FROM locked WHERE id = ${id} AND ${reached(sql, reach)}),
        changed AS (
          UPDATE diagnostics_user u SET role = w.role, active = w.active, systems = w.systems,
            requests_per_minute = w.requests, readings_per_minute = w.readings
          FROM wanted w WHERE u.id = w.id AND (
            (w.role = 'admin' AND w.active AND w.systems IS NULL)
            OR NOT EXISTS (SELECT FROM locked WHERE id = ${id} AND ${rules(sql)})
            OR EXISTS (SELECT FROM locked WHERE id <> ${id} AND ${rules(sql)}))
          RETURNING u.*),
        noted AS (
          INSERT INTO diagnostics_audit (actor, actor_name, action, subject_type, subject_id, before, after, note)
          SELECT ${actor.id}::uuid, ${actor.name}, 'user.change', 'user', changed.id, ${shown(sql, "locked")},
            ${shown(sql, "changed")}, ${note}
          FROM changed JOIN locked ON locked.id = changed.id)
        SELECT EXISTS (SELECT FROM wanted) AS found, EXISTS (SELECT FROM changed) AS changed`,
    );
    if (!outcome?.found) throw new AccountError("user_not_found");
    if (!outcome.changed) throw new AccountError("last_admin");
  }

  /**
   * Set a password of an account of this service; all its tokens end.
   * @throws {AccountError} user_not_found @throws {StoreUnavailableError}
   */
  async setPassword(id: string, password_hash: string, { actor, reach, note }: ChangedBy): Promise<void> {
    const rows = await this.database.run(
      "set password",
      (sql) => sql`
        WITH changed AS (
          UPDATE diagnostics_user SET password_hash = ${password_hash}
          WHERE id = ${id} AND issuer IS NULL AND ${reached(sql, reach)} RETURNING id)
        INSERT INTO diagnostics_audit (actor, actor_name, action, subject_type, subject_id, note)
        SELECT ${actor.id}::uuid, ${actor.name}, 'user.password', 'user', id, ${note} FROM changed RETURNING id`,
    );
    if (rows.length === 0) throw new AccountError("user_not_found");
  }

  /** End all tokens of a user. @throws {StoreUnavailableError} */
  async endTokens(id: string): Promise<void> {
    await this.database.run(
      "end tokens of user",
      (sql) => sql`UPDATE diagnostics_user SET token_version = token_version + 1 WHERE id = ${id}`,
    );
  }

  /** Those of the names that no user has. @throws {StoreUnavailableError} */
  async missing(usernames: readonly string[]): Promise<Set<string>> {
    const rows = await this.database.run(
      "known users",
      (sql) => sql<{ username: string }[]>`
        SELECT username FROM diagnostics_user WHERE username = ANY(${sql.array([...usernames], 1009)})`,
    );
    return new Set(usernames).difference(new Set(rows.map((row) => row.username)));
  }

  /** Create users whose names are free; the others stay as they are. @throws {StoreUnavailableError} */
  async createMissing(users: readonly NewUser[]): Promise<void> {
    for (const user of users) {
      try {
        await this.create(user);
      } catch (error) {
        if (!(error instanceof UserExistsError)) throw error;
      }
    }
  }
}
