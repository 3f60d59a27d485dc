/** The yardstick: all rows in one binary COPY, by psql's \copy when there is a psql, else by pg-copy-streams. */
import { globSync } from "node:fs";
import { join } from "node:path";
import { READING_COPY_COLUMNS } from "../../src/contract/copy.ts";
import { timeCopy } from "../../src/verify/benchmark/raw-copy.ts";
import { BENCH_DIR, RUNTIME_DIR } from "./stack.ts";
import { RAW_TABLE } from "./tables.ts";

const DEADLINE_MS = 600_000;
/** psql's \timing, in ms whatever the length. */
const TIMING = /^Time: (\d+(?:\.\d+)?) ms/m;

export interface RawCopy {
  readonly tool: string;
  /** Load the rows once. @returns ms of the COPY, COMMIT included */
  run(): Promise<number>;
}

/** The bundle's psql fits the bundle's server; else the one on PATH. */
function findPsql(): string | null {
  return (
    globSync("*/usr/lib/postgresql/*/bin/psql", { cwd: RUNTIME_DIR }).map((path) =>
      join(RUNTIME_DIR, path),
    )[0] ?? Bun.which("psql")
  );
}

/** @param bytes complete binary COPY stream */
export async function rawCopy(databaseUrl: string, bytes: Buffer): Promise<RawCopy> {
  const psql = findPsql();
  if (psql === null) return { tool: "pg-copy-streams", run: () => copyStreams(databaseUrl, bytes) };
  const file = join(BENCH_DIR, "raw.copy");
  await Bun.write(file, bytes);
  return { tool: "psql \\copy", run: () => copyByPsql(psql, databaseUrl, file) };
}

async function copyByPsql(psql: string, databaseUrl: string, file: string): Promise<number> {
  const columns = READING_COPY_COLUMNS.map((name) => `"${name}"`).join(", ");
  const copy = `\\copy ${RAW_TABLE} (${columns}) FROM '${file}' WITH (FORMAT binary)`;
  const child = Bun.spawn(
    [psql, "-X", "-v", "ON_ERROR_STOP=1", "-c", "\\timing on", "-c", copy, databaseUrl],
    {
      stdio: ["ignore", "pipe", "pipe"],
      timeout: DEADLINE_MS,
    },
  );
  const [out, err, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  const time = TIMING.exec(out)?.[1];
  if (code !== 0 || time === undefined) throw new Error(`psql ended with ${code}: ${out}${err}`);
  return Number(time);
}

const copyStreams = (url: string, bytes: Buffer): Promise<number> =>
  timeCopy({ url, application_name: "bench raw copy", deadline_ms: DEADLINE_MS }, RAW_TABLE, bytes);
