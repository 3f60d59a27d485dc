/** What a load run does, from its command line and environment. */
import { DEMO_FEEDERS, DEMO_PASSWORD, DEMO_SYSTEM_ID, demoFeeder } from "../../src/contract/demo.ts";
import { isUuid } from "../../src/contract/job-id.ts";
import { FLAG, readArguments, TEXT, UsageError, wholeOption } from "../command-line.ts";
import { SCENARIO_NAMES, type ScenarioName } from "../k6/plan.ts";
import { SCENARIOS } from "../k6/scenarios.ts";

/** A service that runs already. */
export interface GivenService {
  /** Without a slash at the end. */
  readonly url: string;
  readonly system_id: string;
  /** Whose passwords are known; tokens are asked for. */
  readonly users: readonly { readonly username: string; readonly password: string }[];
  /** Given instead of users. */
  readonly tokens: readonly string[];
}

export interface LoadOptions {
  readonly scenario: ScenarioName;
  readonly seconds: number;
  /** null: a stack of its own. */
  readonly service: GivenService | null;
  /** The workers of the own stack run in a process of their own. */
  readonly worker: boolean;
  /** Write load/results. */
  readonly save: boolean;
}

type Env = Readonly<Record<string, string | undefined>>;

const length = (seconds: number) => (seconds >= 120 ? `${seconds / 60} min` : `${seconds} s`);
const list = SCENARIO_NAMES.map((name) => {
  const { default_s, title } = SCENARIOS[name];
  return `  ${name.padEnd(8)}${length(default_s).padStart(7)}   ${title}`;
}).join("\n");

export const USAGE = `Usage: bun run load SCENARIO [OPTIONS]
Sends readings with k6, each request other ones, and checks afterwards that exactly what was accepted is stored.

${list}

  --seconds N, --minutes N   another length
  --worker           API and workers of the own stack as two processes
  --no-save          leave load/results as it is; so does another length than the scenario's own
A service that runs already, instead of a stack of its own (the checks then go through its API):
  --url URL          such as http://127.0.0.1:8000
  --system UUID      a registered system (that of a development start)
  --username A,B     users who send (the feeders of a development start); --password TEXT or LOAD_PASSWORD for all
  LOAD_TOKENS=A,B    access tokens or API keys instead of users
DATABASE_URL and REDIS_URL (both or none) name services for the own stack; else private ones are started in .data/bench.
K6 names the program; else it is looked for on PATH and in Go's bin folder.
Exit code 0: all bounds kept, data right. 1: a bound is broken or data is wrong. 2: could not be run to its end.
`;

/** @throws {UsageError} @returns null when help is asked for */
export function readOptions(args: readonly string[], env: Env): LoadOptions | null {
  const [name, ...rest] = args;
  if (name === "--help" || name === "-h" || rest.includes("--help")) return null;
  if (name === undefined) throw new UsageError(`which scenario? One of ${SCENARIO_NAMES.join(", ")}`);
  const scenario = SCENARIO_NAMES.find((known) => known === name);
  if (!scenario)
    throw new UsageError(`there is no scenario "${name}"; there are ${SCENARIO_NAMES.join(", ")}`);
  const given = readArguments(rest, {
    seconds: TEXT,
    minutes: TEXT,
    worker: FLAG,
    "no-save": FLAG,
    url: TEXT,
    system: TEXT,
    username: TEXT,
    password: TEXT,
  });
  if (given.seconds !== undefined && given.minutes !== undefined)
    throw new UsageError("give --seconds or --minutes, not both");
  const { default_s } = SCENARIOS[scenario];
  const minutes = given.minutes && wholeOption("minutes", given.minutes, 0);
  const seconds = minutes ? minutes * 60 : wholeOption("seconds", given.seconds, default_s);
  if (given.url === undefined) {
    const alone = (["system", "username", "password"] as const).find((option) => given[option] !== undefined);
    if (alone) throw new UsageError(`--${alone} is for a service that --url names`);
  } else if (given.worker) throw new UsageError("--worker is for the own stack, not for --url");
  return {
    scenario,
    seconds,
    service: given.url === undefined ? null : serviceOf(given.url, given, env),
    worker: given.worker === true,
    save: given["no-save"] !== true && seconds === default_s,
  };
}

interface Given {
  readonly system?: string | undefined;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
}

/** @throws {UsageError} */
function serviceOf(url: string, given: Given, env: Env): GivenService {
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
    throw new UsageError(`--url is an http:// or https:// address, not "${url}"`);
  const system_id = given.system ?? DEMO_SYSTEM_ID;
  if (!isUuid(system_id)) throw new UsageError(`--system is a UUID, not "${system_id}"`);
  const tokens = namesIn(env.LOAD_TOKENS);
  if (tokens.length > 0 && given.username !== undefined)
    throw new UsageError("give --username or LOAD_TOKENS, not both");
  const password = given.password ?? env.LOAD_PASSWORD ?? DEMO_PASSWORD;
  const names = given.username === undefined ? feeders() : namesIn(given.username);
  if (names.length === 0) throw new UsageError("--username takes names between commas");
  return {
    url: url.replace(/\/+$/, ""),
    system_id: system_id.toLowerCase(),
    users: tokens.length > 0 ? [] : names.map((username) => ({ username, password })),
    tokens,
  };
}

const feeders = () => Array.from({ length: DEMO_FEEDERS }, (_, i) => demoFeeder(i + 1));
const namesIn = (text = "") =>
  text
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
