/** What a private instance of a data folder is made of: its programs, folders, password and account. */
import { join } from "node:path";
import { type Account, chooseAccount } from "./account.ts";
import { findEmbedded } from "./embedded/bundle.ts";
import { ensureRuntime } from "./embedded/install-runtime.ts";
import { findLocalPostgres, findLocalRedis, type LocalPostgres, type LocalRedis } from "./local-binaries.ts";
import type { PostgresSpec } from "./postgres-cluster.ts";
import type { RedisSpec } from "./redis-instance.ts";
import { type Choice, chooseSource } from "./selection.ts";
import { type DataPaths, readOrMakeSecret } from "./state-file.ts";
import type { ServicesOptions } from "./types.ts";

export type Embedded = { readonly architecture: string };
/** Programs that we start ourselves. */
type PlacedChoice<Local> = Extract<Choice<Local, never, Embedded>, { kind: "local" | "embedded" }>;

/** What the specs of one data folder are made from. */
export interface SpecSource {
  readonly options: ServicesOptions;
  readonly paths: DataPaths;
  readonly secret: string;
  readonly account: () => Promise<Account>;
}

/**
 * What private instances of a data folder are made of, for whoever starts and kills them one by one. Nothing is started.
 *
 * @throws ServicesError `no-way` when there are neither programs of this machine nor the embedded bundle
 */
export async function privateSpecs(
  options: ServicesOptions,
  paths: DataPaths,
): Promise<{ readonly postgres: PostgresSpec; readonly redis: RedisSpec }> {
  const account = chooseAccount(paths.root);
  const secret = await readOrMakeSecret(paths);
  const source: SpecSource = { options, paths, secret, account: () => account };
  const docker = async () => ({ missing: "containers cannot be killed process by process" });
  const postgres = await chooseSource<LocalPostgres, never, Embedded>("postgres", undefined, undefined, {
    local: () => findLocalPostgres(undefined),
    docker,
    embedded: findEmbedded,
  });
  const redis = await chooseSource<LocalRedis, never, Embedded>("redis", undefined, undefined, {
    local: () => findLocalRedis(),
    docker,
    embedded: findEmbedded,
  });
  return {
    postgres: await postgresSpec(source, postgres as PlacedChoice<LocalPostgres>),
    redis: await redisSpec(source, redis as PlacedChoice<LocalRedis>),
  };
}

/** What the private PostgreSQL is made of; an embedded one is unpacked first where it is missing. @throws {ServicesError} */
export async function postgresSpec(
  source: SpecSource,
  choice: PlacedChoice<LocalPostgres>,
): Promise<PostgresSpec> {
  const { paths, secret } = source;
  const binDir =
    choice.kind === "local" ? choice.place.binDir : (await embedded(source, choice.place)).postgresBinDir;
  const logPath = join(paths.run, "postgres.log");
  return { binDir, cluster: paths.cluster, logPath, secret, account: await source.account() };
}

/** The same for the private Redis. @throws {ServicesError} */
export async function redisSpec(source: SpecSource, choice: PlacedChoice<LocalRedis>): Promise<RedisSpec> {
  const { options, paths, secret } = source;
  const server =
    choice.kind === "local" ? choice.place.server : (await embedded(source, choice.place)).redisServer;
  return {
    server,
    folder: paths.redis,
    logPath: join(paths.run, "redis.log"),
    secret,
    durability: options.durability,
    account: await source.account(),
  };
}

async function embedded({ options, paths }: SpecSource, { architecture }: Embedded) {
  const runtimeDir = options.runtimeDir ?? join(paths.root, "runtime");
  return ensureRuntime(runtimeDir, architecture, options.progress, options.log);
}
