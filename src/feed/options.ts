/** Options that `simulate` and `import` share: which service, as whom, for which system. */
import { readFile } from "node:fs/promises";
import { type Command, InvalidArgumentError } from "commander";
import { HydraulicClient, type Surroundings } from "../client/index.ts";
import { DEMO_PASSWORD, DEMO_SYSTEM_ID } from "../contract/demo.ts";
import { isUuid } from "../contract/job-id.ts";
import { systemClock } from "../ops/clock.ts";
import { sleep } from "../ops/retry.ts";
import { UsageError } from "./errors.ts";

export interface ServiceOptions {
  readonly url: string;
  readonly username?: string;
  readonly password?: string;
  readonly passwordFile?: string;
  readonly system: string;
  readonly concurrency: number;
  /** s */
  readonly retryFor: number;
  /** s */
  readonly wait: number;
}

export const SURROUNDINGS: Surroundings = { clock: systemClock, random: Math.random, sleep };

/** Adds the shared options to a command. */
export function withServiceOptions(command: Command, concurrency: number): Command {
  return command
    .option("--url <url>", "the service", parseServiceUrl, "http://127.0.0.1:8000")
    .option("--username <name>", "user to log in as (default: the feeders of a development start)")
    .option("--password <text>", "password of the user (default: the one of a development start)")
    .option("--password-file <file>", "file whose first line is the password")
    .option("--system <uuid>", "system that the readings belong to", parseUuid, DEMO_SYSTEM_ID)
    .option("--concurrency <n>", "batches under way at a time", wholeNumber(1, 1024), concurrency)
    .option("--retry-for <s>", "how long one batch is sent again before it counts as lost", seconds(1), 300)
    .option("--wait <s>", "how long to wait for a job to end", seconds(1), 300);
}

/**
 * The password from the options.
 * @throws {UsageError} when both ways are used, or the file cannot be read or is empty
 */
export async function passwordOf(options: ServiceOptions): Promise<string> {
  if (options.passwordFile === undefined) return options.password ?? DEMO_PASSWORD;
  if (options.password !== undefined) throw new UsageError("give --password or --password-file, not both");
  let text: string;
  try {
    text = await readFile(options.passwordFile, "utf8");
  } catch (cause) {
    throw new UsageError(`the password file ${options.passwordFile} cannot be read: ${reasonOf(cause)}`, {
      cause,
    });
  }
  const password = text.split(/\r?\n/, 1)[0] ?? "";
  if (password === "") throw new UsageError(`the first line of ${options.passwordFile} is empty`);
  return password;
}

/** The client that a command sends with. */
export function createClient(
  options: ServiceOptions,
  username: string,
  password: string,
  surroundings: Surroundings = SURROUNDINGS,
): HydraulicClient {
  return new HydraulicClient({
    url: options.url,
    auth: { username, password },
    retry: { deadline_ms: options.retryFor * 1000, max_backoff_ms: 5000 },
    // On one machine compression costs both ends and saves nothing.
    compression: isLoopback(options.url) ? "none" : "gzip",
    surroundings,
  });
}

function isLoopback(url: string): boolean {
  return /^(localhost|127(\.\d+){3}|\[::1\])$/.test(new URL(url).hostname);
}

/** commander parser: `http(s)://host[:port][/prefix]`, without the last slash. */
function parseServiceUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (!url || (url.protocol !== "http:" && url.protocol !== "https:")) {
    throw new InvalidArgumentError("It must be an http:// or https:// URL.");
  }
  if (url.username !== "" || url.search !== "" || url.hash !== "") {
    throw new InvalidArgumentError("It must be without credentials, query and fragment.");
  }
  return (url.origin + url.pathname).replace(/\/+$/, "");
}

/** commander parser: a UUID, made lower case. */
export function parseUuid(text: string): string {
  if (!isUuid(text)) throw new InvalidArgumentError("It must be a UUID.");
  return text.toLowerCase();
}

/** commander parser for a whole number within limits; 10_000 and 10000 are the same. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const n = /^\d[\d_]*$/.test(text) ? Number(text.replaceAll("_", "")) : Number.NaN;
    if (n >= min && n <= max) return n;
    throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
  };
}

/** commander parser for a decimal number above `min` or equal to it. */
export function decimal(min: number, max: number): (text: string) => number {
  return (text) => {
    const n = /^\d[\d_]*(\.\d+)?$|^\.\d+$/.test(text) ? Number(text.replaceAll("_", "")) : Number.NaN;
    if (n >= min && n <= max) return n;
    throw new InvalidArgumentError(`It must be a number from ${min} to ${max}.`);
  };
}

function seconds(min: number): (text: string) => number {
  return decimal(min, 86_400);
}

/** What an error says, for a message to a person. */
export function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
