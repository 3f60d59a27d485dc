/** TimescaleDB and Redis in containers of the project's compose file, when a Docker daemon can be reached. */
import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";
import { type CommandResult, runCommand } from "./command.ts";
import type { Finding } from "./local-binaries.ts";
import { ServicesError } from "./services-error.ts";
import type { Durability, ServiceName } from "./types.ts";

/** How to call compose: `docker compose`, or the older `docker-compose`. */
export type ComposeCommand = readonly string[];

/** Values of the compose file's variables. */
export interface ComposeSettings {
  readonly dataDir: string;
  readonly secret: string;
  readonly postgresPort: number;
  readonly redisPort: number;
  readonly durability: Durability;
}

type Runner = (argv: readonly string[], deadlineMs: number) => Promise<CommandResult>;

const COMPOSE_FILE = fileURLToPath(new URL("../../deploy/compose.dev.yaml", import.meta.url));
const PROBE_DEADLINE_MS = 5_000;
/** The first start pulls about 400 MB. */
const UP_DEADLINE_MS = 20 * 60_000;
const STOP_DEADLINE_MS = 60_000;

const run: Runner = (argv, deadlineMs) => runCommand(argv, { deadlineMs });

/** Finds a compose command whose daemon answers. */
export async function findCompose(runner: Runner = run): Promise<Finding<ComposeCommand>> {
  const daemon = await probe(runner, ["docker", "info", "--format", "{{.ServerVersion}}"]);
  if (!daemon) return { missing: "no Docker daemon can be reached" };
  for (const command of [["docker", "compose"], ["docker-compose"]]) {
    if (await probe(runner, [...command, "version"])) return { found: command };
  }
  return { missing: "Docker runs, but its compose plugin is not installed" };
}

/** A daemon that hangs counts as one that cannot be reached. */
async function probe(runner: Runner, argv: readonly string[]): Promise<boolean> {
  try {
    return (await runner(argv, PROBE_DEADLINE_MS)).code === 0;
  } catch (error) {
    if (error instanceof ServicesError && error.code === "timeout") return false;
    throw error;
  }
}

/** Each data folder is a compose project of its own, so that two clones have separate containers and volumes. */
export function composeProject(dataDir: string): string {
  return `hydraulic-${createHash("sha256").update(dataDir).digest("hex").slice(0, 10)}`;
}

/** Full argv of one compose call; the settings travel as environment through env(1). */
export function composeArgv(
  command: ComposeCommand,
  settings: ComposeSettings,
  args: readonly string[],
): string[] {
  return [
    "env",
    `HYDRAULIC_SECRET=${settings.secret}`,
    `HYDRAULIC_POSTGRES_PORT=${settings.postgresPort}`,
    `HYDRAULIC_REDIS_PORT=${settings.redisPort}`,
    `HYDRAULIC_APPENDFSYNC=${settings.durability}`,
    ...command,
    "-p",
    composeProject(settings.dataDir),
    "-f",
    COMPOSE_FILE,
    ...args,
  ];
}

/**
 * Starts the named services and waits until their health checks pass.
 *
 * @throws ServicesError `start-failed` with compose's own last words, `timeout`
 */
export async function composeUp(
  command: ComposeCommand,
  settings: ComposeSettings,
  services: readonly ServiceName[],
  runner: Runner = run,
): Promise<void> {
  const up = await runner(
    composeArgv(command, settings, ["up", "-d", "--wait", ...services]),
    UP_DEADLINE_MS,
  );
  if (up.code === 0) return;
  throw new ServicesError(
    "start-failed",
    `Docker cannot start ${services.join(" and ")}:\n${up.stderr.trim().split("\n").slice(-6).join("\n")}`,
    "Look at the output above (docker logs tells more), or set DATABASE_URL and REDIS_URL to services of your own.",
  );
}

/** True while the container of `service` runs; it holds its port then. */
export async function isComposeRunning(
  command: ComposeCommand,
  settings: ComposeSettings,
  service: ServiceName,
  runner: Runner = run,
): Promise<boolean> {
  const args = ["ps", "--status", "running", "-q", service];
  const listed = await runner(composeArgv(command, settings, args), PROBE_DEADLINE_MS);
  return listed.code === 0 && listed.stdout.trim() !== "";
}

/** Stops the named services; their volumes stay. */
export async function composeStop(
  command: ComposeCommand,
  settings: ComposeSettings,
  services: readonly ServiceName[],
  runner: Runner = run,
): Promise<void> {
  const stopped = await runner(composeArgv(command, settings, ["stop", ...services]), STOP_DEADLINE_MS);
  if (stopped.code === 0) return;
  throw new ServicesError(
    "still-running",
    `Docker did not stop ${services.join(" and ")}: ${stopped.stderr.trim()}`,
    `Stop them with "docker compose -p ${composeProject(settings.dataDir)} stop".`,
  );
}
