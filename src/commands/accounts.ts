/** `hydraulic create-user` and `hydraulic create-system`. */
import { createInterface } from "node:readline/promises";
import { hashPassword } from "../api/auth/passwords.ts";
import { isUuid } from "../contract/job-id.ts";
import { SystemStore } from "../store/systems.ts";
import { type Role, UserStore } from "../store/users.ts";
import { withDatabase } from "./environment.ts";
import { CommandError } from "./fail.ts";

const MIN_PASSWORD_LENGTH = 8;

interface UserOptions {
  readonly role: Role;
  readonly requestsPerMinute?: number;
  readonly readingsPerMinute?: number;
}

/** @throws {UserExistsError} @throws {CommandError} when the name or the password will not do */
export async function createUser(username: string, options: UserOptions): Promise<void> {
  if (username === "" || username !== username.trim())
    throw new CommandError("the user name is empty or has spaces at its ends");
  const password = await readPassword();
  if (password.length < MIN_PASSWORD_LENGTH) {
    throw new CommandError(
      `the password has ${password.length} characters; it needs at least ${MIN_PASSWORD_LENGTH}`,
    );
  }
  const id = await withDatabase(async (database) =>
    new UserStore(database).create({
      username,
      password_hash: await hashPassword(password),
      role: options.role,
      requests_per_minute: options.requestsPerMinute ?? null,
      readings_per_minute: options.readingsPerMinute ?? null,
    }),
  );
  process.stdout.write(`created user ${username} (${options.role}), id ${id}\n`);
}

/** @throws {CommandError} when the id is not a UUID or is taken */
export async function createSystem(name: string, options: { readonly id?: string }): Promise<void> {
  if (name.trim() === "") throw new CommandError("the name of the system is empty");
  const id = (options.id ?? Bun.randomUUIDv7()).toLowerCase();
  if (!isUuid(id)) throw new CommandError(`"${options.id}" is not a UUID`);
  const created = await withDatabase((database) => new SystemStore(database).create(id, name.trim()));
  if (!created) throw new CommandError(`system ${id} is registered already`);
  process.stdout.write(`created system ${name.trim()}, id ${id}\n`);
}

/** One line of standard input; on a terminal it is asked for and not shown. */
async function readPassword(): Promise<string> {
  const { stdin, stderr } = process;
  if (!stdin.isTTY) return (await Bun.stdin.text()).split(/\r?\n/, 1)[0] ?? "";
  stderr.write("Password: ");
  const lines = createInterface({ input: stdin, terminal: true, historySize: 0 });
  try {
    return await lines.question("");
  } finally {
    lines.close();
    stderr.write("\n");
  }
}
