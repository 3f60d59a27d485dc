/** What a development start knows from the beginning: the platform's example system, and users that anyone may use. */
import { hashPassword } from "../api/auth/passwords.ts";
import type { Database } from "../store/pool.ts";
import { SystemStore } from "../store/systems.ts";
import { type NewUser, UserStore } from "../store/users.ts";

/** The system of the platform's example batch. */
export const DEMO_SYSTEM_ID = "550e8400-e29b-41d4-a716-446655440000";
export const DEMO_USER = { username: "admin", password: "password" } as const;

/** `simulate` and `import` send as these users; their limits are out of the way. */
const FEEDERS = 8;
const UNLIMITED = 1_000_000_000;

/** Make what is missing. Only for development: the passwords are public. */
export async function seedDevelopment(database: Database): Promise<void> {
  await new SystemStore(database).create(DEMO_SYSTEM_ID, "Demo press");
  const users = new UserStore(database);
  const wanted = [
    { username: DEMO_USER.username, role: "admin", limit: null } as const,
    ...Array.from(
      { length: FEEDERS },
      (_, i) => ({ username: `feeder-${i + 1}`, role: "producer", limit: UNLIMITED }) as const,
    ),
  ];
  const missing = await users.missing(wanted.map(({ username }) => username));
  if (missing.size === 0) return;
  const password_hash = await hashPassword(DEMO_USER.password);
  const rows = wanted
    .filter(({ username }) => missing.has(username))
    .map(
      ({ username, role, limit }): NewUser => ({
        username,
        role,
        password_hash,
        requests_per_minute: limit,
        readings_per_minute: limit,
      }),
    );
  await users.createMissing(rows);
}
