/** What a data folder remembers between starts: sources and ports (`run/services.json`), the password. */
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Static, Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { errnoOf, ServicesError } from "./services-error.ts";

const ServiceState = Type.Object({
  kind: Type.Union([Type.Literal("local"), Type.Literal("docker"), Type.Literal("embedded")]),
  port: Type.Integer({ minimum: 1, maximum: 65_535 }),
});

const StateSchema = Type.Object({
  version: Type.Literal(1),
  postgres: Type.Optional(ServiceState),
  redis: Type.Optional(ServiceState),
});

export type ServiceState = Static<typeof ServiceState>;
export type State = Static<typeof StateSchema>;

/** Folders and files of one data folder. */
export interface DataPaths {
  readonly root: string;
  readonly run: string;
  readonly cluster: string;
  readonly redis: string;
  readonly state: string;
  readonly secret: string;
}

/** Names the paths below `dataDir`; touches nothing. */
export function dataPaths(dataDir: string): DataPaths {
  const run = join(dataDir, "run");
  return {
    root: dataDir,
    run,
    cluster: join(dataDir, "postgres"),
    redis: join(dataDir, "redis"),
    state: join(run, "services.json"),
    secret: join(run, "password"),
  };
}

/** Creates the folders. Others may pass through (the account that root drops to must), secrets are 0600. */
export async function prepareFolders(paths: DataPaths): Promise<void> {
  for (const folder of [paths.root, paths.run]) {
    if (existsSync(folder)) continue;
    await mkdir(folder, { recursive: true });
    await chmod(folder, 0o755);
  }
}

/** Reads the state; an unreadable or foreign file counts as none, since it only holds choices. */
export async function readState(paths: DataPaths): Promise<State> {
  try {
    const parsed: unknown = JSON.parse(await readFile(paths.state, "utf8"));
    if (Value.Check(StateSchema, parsed)) return parsed;
  } catch (error) {
    if (errnoOf(error) !== "ENOENT" && !(error instanceof SyntaxError)) throw error;
  }
  return { version: 1 };
}

/** Writes the state in one step, so that a crash leaves the old or the new one. */
export async function writeState(paths: DataPaths, state: State): Promise<void> {
  const staged = `${paths.state}.${process.pid}`;
  await writeFile(staged, `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600 });
  await rename(staged, paths.state);
}

/**
 * The password of both private instances: 32 hex digits, made at the first start, readable by this user only.
 *
 * @throws ServicesError `secret-lost` when a cluster exists but its password file does not
 */
export async function readOrMakeSecret(paths: DataPaths): Promise<string> {
  try {
    const secret = (await readFile(paths.secret, "utf8")).trim();
    if (secret !== "") return secret;
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw error;
  }
  if (existsSync(paths.cluster)) {
    throw new ServicesError(
      "secret-lost",
      `${paths.secret} is missing, but the database it opens still exists in ${paths.cluster}`,
      `Put the file back, or delete ${paths.root} to begin again with empty services.`,
    );
  }
  const secret = randomBytes(16).toString("hex");
  const staged = `${paths.secret}.${process.pid}`;
  await writeFile(staged, `${secret}\n`, { mode: 0o600 });
  await rename(staged, paths.secret);
  return secret;
}
