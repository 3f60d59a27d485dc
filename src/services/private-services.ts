/** Chooses a source for each service of a data folder, and starts what is chosen. */
import { type Account, chooseAccount } from "./account.ts";
import {
  type ComposeCommand,
  type ComposeSettings,
  composeStop,
  composeUp,
  findCompose,
  isComposeRunning,
} from "./compose.ts";
import { findEmbedded } from "./embedded/bundle.ts";
import { choosePort } from "./free-port.ts";
import { encryptionOf } from "./given-urls.ts";
import {
  type Finding,
  findLocalPostgres,
  findLocalRedis,
  type LocalPostgres,
  type LocalRedis,
} from "./local-binaries.ts";
import { clusterMajor } from "./postgres-cluster.ts";
import { postgresUrl, startPostgres, stopPostgres } from "./postgres-instance.ts";
import { type Embedded, postgresSpec, redisSpec, type SpecSource } from "./private-specs.ts";
import { redisUrl, startRedis, stopRedis } from "./redis-instance.ts";
import { type Choice, chooseSource } from "./selection.ts";
import { type DataPaths, readOrMakeSecret, readState, type State, writeState } from "./state-file.ts";
import type { ServiceName, ServicesOptions } from "./types.ts";

/** One service that is ready. */
export interface StartedService {
  readonly url: string;
  /** One line for people. */
  readonly description: string;
  /** Log of a private instance. */
  readonly logPath: string | undefined;
  /** Stops the private instance; does nothing for a given service. */
  stop(): Promise<void>;
}

type PostgresChoice = Choice<LocalPostgres, ComposeCommand, Embedded>;
type RedisChoice = Choice<LocalRedis, ComposeCommand, Embedded>;

/** What starting one service needs to know. */
interface Context extends SpecSource {
  readonly state: State;
}

/** Starts both services; when the second fails, what the first started is stopped again. */
export async function startPrivate(
  options: ServicesOptions,
  paths: DataPaths,
): Promise<readonly [StartedService, StartedService]> {
  const state = await readState(paths);
  let account: Promise<Account> | undefined;
  const context: Context = {
    options,
    paths,
    state,
    secret: await readOrMakeSecret(paths),
    account: () => {
      account ??= chooseAccount(paths.root);
      return account;
    },
  };
  let compose: Promise<Finding<ComposeCommand>> | undefined;
  const docker = (): Promise<Finding<ComposeCommand>> => {
    compose ??= findCompose();
    return compose;
  };
  const major = await clusterMajor(paths.cluster);
  const postgresChoice = await chooseSource("postgres", options.databaseUrl, state.postgres?.kind, {
    local: () => findLocalPostgres(major),
    docker,
    embedded: findEmbedded,
  });
  const redisChoice = await chooseSource("redis", options.redisUrl, state.redis?.kind, {
    local: () => findLocalRedis(),
    docker,
    embedded: findEmbedded,
  });
  const postgres = await startChosenPostgres(context, postgresChoice);
  try {
    return [postgres, await startChosenRedis(context, redisChoice)];
  } catch (error) {
    await postgres.stop();
    throw error;
  }
}

async function startChosenPostgres(context: Context, choice: PostgresChoice): Promise<StartedService> {
  if (choice.kind === "given") return given("PostgreSQL", choice.url, choice.why);
  if (choice.kind === "docker") {
    return startContainer(context, "postgres", choice.place, choice.why, (port) =>
      postgresUrl(port, context.secret),
    );
  }
  const { options } = context;
  const spec = await postgresSpec(context, choice);
  options.progress.step("Looking for PostgreSQL, starting it if it does not run");
  const running = await startPostgres(spec, context.state.postgres?.port);
  await remember(context, "postgres", choice.kind, running.port);
  return {
    url: postgresUrl(running.port, context.secret),
    description: describe("PostgreSQL", choice.kind, spec.binDir, running, choice.why),
    logPath: spec.logPath,
    stop: () => stopPostgres(spec, running.pid),
  };
}

async function startChosenRedis(context: Context, choice: RedisChoice): Promise<StartedService> {
  if (choice.kind === "given") return given("Redis", choice.url, choice.why);
  if (choice.kind === "docker") {
    return startContainer(context, "redis", choice.place, choice.why, (port) =>
      redisUrl(port, context.secret),
    );
  }
  const { options } = context;
  const spec = await redisSpec(context, choice);
  options.progress.step("Looking for Redis, starting it if it does not run");
  const running = await startRedis(spec, context.state.redis?.port);
  await remember(context, "redis", choice.kind, running.port);
  return {
    url: redisUrl(running.port, context.secret),
    description: describe("Redis", choice.kind, spec.server, running, choice.why),
    logPath: spec.logPath,
    stop: () => stopRedis(spec, running.pid),
  };
}

async function startContainer(
  context: Context,
  service: ServiceName,
  command: ComposeCommand,
  why: string,
  url: (port: number) => string,
): Promise<StartedService> {
  const { options, paths, state } = context;
  const settingsFor = (port: number): ComposeSettings => ({
    dataDir: paths.root,
    secret: context.secret,
    postgresPort: service === "postgres" ? port : (state.postgres?.port ?? 0),
    redisPort: service === "redis" ? port : (state.redis?.port ?? 0),
    durability: options.durability,
  });
  const remembered = state[service]?.kind === "docker" ? state[service].port : undefined;
  const running =
    remembered !== undefined && (await isComposeRunning(command, settingsFor(remembered), service));
  const port = running ? remembered : await choosePort(remembered, []);
  const settings = settingsFor(port);
  options.progress.step(`Starting ${service} in Docker (the first start fetches its image)`);
  await composeUp(command, settings, [service]);
  await remember(context, service, "docker", port);
  return {
    url: url(port),
    description: `${service === "postgres" ? "PostgreSQL" : "Redis"}: Docker container on port ${port} (${why})`,
    logPath: undefined,
    stop: () => composeStop(command, settings, [service]),
  };
}

function given(label: string, url: string, why: string): StartedService {
  return {
    url,
    description: `${label}: ${why} (${encryptionOf(url)})`,
    logPath: undefined,
    stop: async () => undefined,
  };
}

function describe(
  label: string,
  kind: "local" | "embedded",
  place: string,
  running: { readonly port: number; readonly reused: boolean },
  why: string,
): string {
  const source = kind === "local" ? `this machine's ${place}` : "embedded bundle";
  const verb = running.reused ? "found running" : "started";
  return `${label}: ${source}, ${verb} on 127.0.0.1:${running.port} (${why})`;
}

async function remember(
  context: Context,
  service: ServiceName,
  kind: "local" | "docker" | "embedded",
  port: number,
): Promise<void> {
  context.state[service] = { kind, port };
  await writeState(context.paths, context.state);
}
