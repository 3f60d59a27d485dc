/** What a development start knows from the beginning: the platform's example system, and users that anyone may use. */
import { hashPassword } from "../api/auth/passwords.ts";
import { DEMO_FEEDERS, DEMO_SYSTEM_ID, DEMO_USER, demoFeeder } from "../contract/demo.ts";
import type { Database } from "../store/pool.ts";
import { SystemStore } from "../store/systems.ts";
import { type NewUser, UserStore } from "../store/users.ts";

/** Of the feeders: limits are out of their way. */
const UNLIMITED = 1_000_000_000;

/** Make what is missing. Only for development: the passwords are public. */
export async function seedDevelopment(database: Database): Promise<void> {
  await new SystemStore(database).create(DEMO_SYSTEM_ID, "Demo press");
  const users = new UserStore(database);
  const wanted = [
    { username: DEMO_USER.username, role: "admin", limit: null } as const,
    ...Array.from(
      { length: DEMO_FEEDERS },
      (_, i) => ({ username: demoFeeder(i + 1), role: "producer", limit: UNLIMITED }) as const,
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
