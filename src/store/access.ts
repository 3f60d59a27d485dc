/** What API processes must know of users, keys and ended tokens: all of it, or what changed lately. */
import type { Reach } from "../contract/reach.ts";
import type { Role, Scope } from "../contract/roles.ts";
import { classify } from "./errors.ts";
import type { Database } from "./pool.ts";

/** A user as requests are judged by. */
export interface KnownUser {
  readonly id: string;
  readonly username: string;
  readonly role: Role;
  readonly active: boolean;
  readonly systems: Reach;
  readonly requests_per_minute: number | null;
  readonly readings_per_minute: number | null;
  readonly token_version: number;
  /** Text; another one means that something changed. */
  readonly changed_at: string;
}

/** A key as requests are judged by. */
export interface KnownKey {
  readonly id: string;
  readonly user_id: string;
  readonly name: string;
  readonly prefix: string;
  /** SHA-256 of the key, hex. */
  readonly hash: string;
  readonly scopes: readonly Scope[];
  readonly systems: Reach;
  readonly requests_per_minute: number | null;
  readonly readings_per_minute: number | null;
  /** Ms since the epoch; null: never. */
  readonly expires_at_ms: number | null;
  readonly revoked: boolean;
  readonly changed_at: string;
}

/** An identity of an outside provider that sent a request. */
export interface NewIdentity {
  readonly id: string;
  readonly issuer: string;
  readonly subject: string;
  readonly username: string;
  readonly role: Role;
}

/** A token that was ended before its time. */
export interface EndedToken {
  readonly id: string;
  /** Seconds since the epoch. */
  readonly exp: number;
}

export interface AccessChanges {
  /** The database's time of this look, to be given back for the next. */
  readonly at: string;
  readonly users: readonly KnownUser[];
  readonly keys: readonly KnownKey[];
  readonly ended: readonly EndedToken[];
}

/** Changes commit later than they say; far longer than a statement may run. */
const OVERLAP = "interval '30 seconds'";
/** Keys that are over are told apart from unknown ones for so long. */
const OVER_KEPT = "interval '7 days'";

export class AccessStore {
  constructor(private readonly database: Database) {}

  /**
   * One statement, so that all of it is of one moment.
   * @param since `at` of an earlier look; null: everything that still counts
   * @throws {StoreUnavailableError}
   */
  async changes(since: string | null): Promise<AccessChanges> {
    const [row] = await this.database.run(
      "who may",
      (sql) => sql<AccessChanges[]>`
        WITH since AS (SELECT ${since}::text::timestamptz - ${sql.unsafe(OVERLAP)} AS at)
        SELECT now()::text AS at,
          (SELECT coalesce(json_agg(u), '[]') FROM (
            SELECT id, username, role, active, systems, requests_per_minute, readings_per_minute, token_version,
              changed_at::text AS changed_at
            FROM diagnostics_user WHERE ${since}::text IS NULL OR changed_at > (SELECT at FROM since)) u) AS users,
          (SELECT coalesce(json_agg(k), '[]') FROM (
            SELECT id, user_id, name, prefix, encode(hash, 'hex') AS hash, scopes, systems, requests_per_minute,
              readings_per_minute, (extract(epoch FROM expires_at) * 1000)::float8 AS expires_at_ms,
              revoked_at IS NOT NULL AS revoked, changed_at::text AS changed_at
            FROM diagnostics_api_key WHERE CASE WHEN ${since}::text IS NULL
              THEN coalesce(least(revoked_at, expires_at), 'infinity') > now() - ${sql.unsafe(OVER_KEPT)}
              ELSE changed_at > (SELECT at FROM since) END) k) AS keys,
          (SELECT coalesce(json_agg(e), '[]') FROM (
            SELECT id, extract(epoch FROM expires_at)::float8 AS exp FROM diagnostics_ended_token
            WHERE ${since}::text IS NULL OR ended_at > (SELECT at FROM since)) e) AS ended`,
    );
    return row!;
  }

  /**
   * End a token for good, and forget those that have expired since.
   * @param exp seconds since the epoch, when it would have ended
   * @throws {StoreUnavailableError}
   */
  async endToken(id: string, user_id: string, exp: number): Promise<void> {
    await this.database.run(
      "end token",
      (sql) => sql`
        WITH over AS (DELETE FROM diagnostics_ended_token WHERE expires_at < now() - interval '1 hour' AND id <> ${id})
        INSERT INTO diagnostics_ended_token (id, user_id, expires_at)
        VALUES (${id}, ${user_id}, to_timestamp(least(${exp}::float8, 253402300799)))
        ON CONFLICT (id) DO NOTHING`,
    );
  }

  /**
   * Write rows for identities of an outside provider: admins see them, limit them and shut them out. A name that is
   * taken gets a piece of the id.
   * @throws {StoreUnavailableError}
   */
  async noteIdentities(identities: ReadonlyMap<string, NewIdentity>): Promise<void> {
    for (const identity of identities.values()) {
      try {
        await this.#noteIdentity(identity, identity.username);
      } catch (error) {
        if (classify(error) !== "unique") throw error;
        await this.#noteIdentity(identity, `${identity.username} #${identity.id.slice(0, 8)}`);
      }
    }
  }

  async #noteIdentity({ id, issuer, subject, role }: NewIdentity, username: string): Promise<void> {
    await this.database.run(
      "note identity",
      (sql) => sql`
        INSERT INTO diagnostics_user (id, username, role, issuer, subject)
        VALUES (${id}, ${username}, ${role}, ${issuer}, ${subject})
        ON CONFLICT (id) DO UPDATE SET role = excluded.role WHERE diagnostics_user.issuer IS NOT NULL`,
    );
  }

  /** Note when keys were last used. @param uses ms since the epoch by id of the key. @throws {StoreUnavailableError} */
  async noteUses(uses: ReadonlyMap<string, number>): Promise<void> {
    await this.database.run(
      "last use of keys",
      (sql) => sql`
        UPDATE diagnostics_api_key k SET last_used_at = greatest(k.last_used_at, to_timestamp(used.at_ms / 1000))
        FROM unnest(${sql.array([...uses.keys()], 2951)}::uuid[], ${sql.array([...uses.values()], 1022)}::float8[])
          AS used (id, at_ms) WHERE k.id = used.id`,
    );
  }
}
