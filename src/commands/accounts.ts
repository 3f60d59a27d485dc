/** `hydraulic create-user` and `hydraulic create-system`. */
import { createInterface } from "node:readline/promises";
import { hashPassword } from "../api/auth/passwords.ts";
import { isUuid } from "../contract/job-id.ts";
import { MIN_PASSWORD_LENGTH } from "../contract/passwords.ts";
import { COMMAND_LINE } from "../store/audit.ts";
import { SystemStore } from "../store/systems.ts";
import { type Role, UserStore } from "../store/users.ts";
import { withDatabase } from "./environment.ts";
import { CommandError } from "./fail.ts";

interface UserOptions {
  readonly role: Role;
  readonly requestsPerMinute?: number;
  readonly readingsPerMinute?: number;
  /** Ids of systems; without any, all. */
  readonly system?: readonly string[];
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
  const systems = options.system?.map((id) => id.toLowerCase()) ?? null;
  const wrong = systems?.find((id) => !isUuid(id));
  if (wrong !== undefined) throw new CommandError(`"${wrong}" is not a UUID`);
  const id = await withDatabase(async (database) => {
    const [unknown] = systems === null ? [] : await new SystemStore(database).unknown(systems);
    if (unknown !== undefined) throw new CommandError(`no system is registered under the id ${unknown}`);
    const user = {
      username,
      password_hash: await hashPassword(password),
      role: options.role,
      systems,
      requests_per_minute: options.requestsPerMinute ?? null,
      readings_per_minute: options.readingsPerMinute ?? null,
    };
    return new UserStore(database).create(user, { actor: COMMAND_LINE, note: null });
  });
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
