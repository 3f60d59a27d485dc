/** Users: who may send, and how much. */
import { sqlState } from "./errors.ts";
import type { Database } from "./pool.ts";

export const ROLES = ["admin", "engineer", "reviewer", "producer"] as const;
export type Role = (typeof ROLES)[number];

export interface User {
  readonly id: string;
  readonly username: string;
  /** Argon2id in PHC string format. */
  readonly password_hash: string;
  readonly role: Role;
  /** Null: the limit of the configuration. */
  readonly requests_per_minute: number | null;
  readonly readings_per_minute: number | null;
  readonly active: boolean;
}

export type NewUser = Omit<User, "id" | "active">;

/** The name is taken. */
export class UserExistsError extends Error {
  override readonly name = "UserExistsError";
}

interface UserRow extends Omit<User, "requests_per_minute" | "readings_per_minute"> {
  readonly requests_per_minute: string | null;
  readonly readings_per_minute: string | null;
}
const numberOrNull = (text: string | null) => (text === null ? null : Number(text));

export class UserStore {
  constructor(private readonly database: Database) {}

  /** @throws {StoreUnavailableError} */
  async findByName(username: string): Promise<User | null> {
    const rows = await this.database.run(
      "user by name",
      (sql) => sql<UserRow[]>`
        SELECT id, username, password_hash, role, requests_per_minute, readings_per_minute, active
        FROM diagnostics_user WHERE username = ${username}`,
    );
    const row = rows[0];
    if (!row) return null;
    return {
      ...row,
      requests_per_minute: numberOrNull(row.requests_per_minute),
      readings_per_minute: numberOrNull(row.readings_per_minute),
    };
  }

  /**
   * @returns the id of the new user
   * @throws {UserExistsError} @throws {StoreUnavailableError}
   */
  async create(user: NewUser): Promise<string> {
    const id = Bun.randomUUIDv7();
    try {
      await this.database.run(
        "create user",
        (sql) => sql`
          INSERT INTO diagnostics_user (id, username, password_hash, role, requests_per_minute, readings_per_minute)
          VALUES (${id}, ${user.username}, ${user.password_hash}, ${user.role},
                  ${user.requests_per_minute}, ${user.readings_per_minute})`,
      );
    } catch (error) {
      if (sqlState(error) === "23505") throw new UserExistsError(`the user name ${user.username} is taken`);
      throw error;
    }
    return id;
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
