/** `npm run e2e`: the story of the Postman collection against a running service, and `--write`, which makes it anew. */
import { parseArgs } from "node:util";
import newman from "newman";
import type { OpenApiDocument } from "../support/contract/document.ts";
import { makeCollection, STORY_FOLDER } from "./collection.ts";

export const COLLECTION = new URL(
  "../../docs/postman/hydraulic-ingest.postman_collection.json",
  import.meta.url,
);
const DEFAULT_URL = "http://127.0.0.1:8000";
const REQUEST_DEADLINE_MS = 30_000;
const USAGE = `Usage: npm run e2e [-- URL] [--user NAME] [--password PASSWORD]
       npm run e2e -- --write [URL]     makes docs/postman anew from the service's OpenAPI document

Sends the story of the Postman collection to the service at URL (${DEFAULT_URL}) as an admin (admin / password)
and checks every answer. It registers a system of its own and archives it at the end. Where the account's limit is
reached it waits as the service asks. Exits with 1 when an answer is not as it should be, with 2 when the arguments
are wrong.
`;

interface Login {
  readonly url: string;
  readonly user: string;
  readonly password: string;
}

/** What a run counted. */
export interface StoryResult {
  readonly requests: number;
  readonly checks: number;
  /** One line for each check that failed and each request without an answer. */
  readonly failures: readonly string[];
}

/**
 * Run a collection against a service.
 * @param folder only this one
 * @param print true: newman's lines for people
 */
export function runCollection(
  collection: object,
  { url, user, password }: Login,
  options: { readonly folder?: string; readonly print?: boolean } = {},
): Promise<StoryResult> {
  const variables = { baseUrl: url.replace(/\/$/, ""), username: user, password };
  const settings: newman.NewmanRunOptions = {
    collection: collection as newman.NewmanRunOptions["collection"] & object,
    envVar: Object.entries(variables).map(([key, value]) => ({ key, value })),
    timeoutRequest: REQUEST_DEADLINE_MS,
    reporters: options.print ? "cli" : [],
    ...(options.folder ? { folder: options.folder } : {}),
  };
  return new Promise((resolve, reject) => {
    newman.run(settings, (error, summary) => {
      if (error) return reject(error);
      const { stats, failures } = summary.run;
      resolve({
        requests: stats.requests.total ?? 0,
        checks: stats.assertions.total ?? 0,
        failures: failures.map(({ source, error: { test, message } }) =>
          [source?.name, test, message].filter(Boolean).join(": "),
        ),
      });
    });
  });
}

/** The collection as it lies in docs. */
export async function storedCollection(): Promise<object> {
  return (await Bun.file(COLLECTION).json()) as object;
}

/** The text of the collection's file for a document. */
export function collectionText(document: OpenApiDocument): string {
  return `${JSON.stringify(makeCollection(document), null, 1)}\n`;
}

async function main(): Promise<number> {
  let parsed: ReturnType<typeof read>;
  try {
    parsed = read();
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
    return 2;
  }
  const { values, positionals } = parsed;
  if (values.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  const url = positionals[0] ?? DEFAULT_URL;
  if (values.write) return write(url);
  const login = { url, user: values.user, password: values.password };
  const result = await runCollection(await storedCollection(), login, { folder: STORY_FOLDER, print: true });
  if (result.failures.length === 0) return 0;
  process.stderr.write(`\nThe story is not true of ${url}. The first of it:\n  ${result.failures[0]}\n`);
  return 1;
}

/** Makes the collection anew from the document of the service at this address. @returns the exit code */
async function write(url: string): Promise<number> {
  const address = `${url.replace(/\/$/, "")}/openapi.json`;
  try {
    const answer = await fetch(address);
    if (!answer.ok) throw new Error(`it answers ${answer.status}`);
    await Bun.write(COLLECTION, collectionText((await answer.json()) as OpenApiDocument));
    return 0;
  } catch (error) {
    process.stderr.write(`${address}: ${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  }
}

function read() {
  const parsed = parseArgs({
    allowPositionals: true,
    options: {
      user: { type: "string", default: "admin" },
      password: { type: "string", default: "password" },
      write: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (parsed.positionals.length > 1) throw new Error("One URL at most.");
  const [url] = parsed.positionals;
  if (url !== undefined && !(/^https?:/.test(url) && URL.canParse(url))) throw new Error(`Not a URL: ${url}`);
  return parsed;
}

if (import.meta.main) process.exitCode = await main();
