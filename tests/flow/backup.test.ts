/**
 * The commands of docs/operate.md bring everything back: dumped, dropped, restored, and the batches that waited in Redis
 * meanwhile are stored once.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import postgres from "postgres";
import { textOf } from "../support/deploy.ts";
import { blocksOf } from "../support/markdown-blocks.ts";
import { Stack } from "../support/stack.ts";
import { until } from "../support/until.ts";

const TEST_MS = 180_000;
const BATCHES = 10;
const INEXACT = ["avg_value", "stddev_value"];

/** Where the server's own programs are; null when they are not on this machine, as with Docker. */
async function serverPrograms(): Promise<string | null> {
  const sql = postgres(process.env.DATABASE_URL!, { max: 1 });
  try {
    const [row] = await sql<{ setting: string }[]>`SELECT setting FROM pg_config WHERE name = 'BINDIR'`;
    const folder = row?.setting ?? "";
    return ["pg_dump", "pg_restore", "psql"].every((name) => existsSync(join(folder, name))) ? folder : null;
  } finally {
    await sql.end();
  }
}
const programs = await serverPrograms();
const NONE = "left out: the server's pg_dump is not on this machine";
if (programs === null) console.log(`The test of the backup is ${NONE}.`);

const blocks = blocksOf(await textOf("docs/operate.md"));
const commandsOf = (section: string) => {
  const found = blocks.filter((block) => block.section === section && block.language === "sh");
  expect(found).toHaveLength(1);
  return found[0]!.text;
};

/**
 * Rows and their hash of every table and of the hourly view, and where the sequences stand. Sums of doubles depend on
 * the order of the rows, which a restore may change: averages and deviations are left out.
 */
async function contents(url: string): Promise<Record<string, string>> {
  const sql = postgres(url, { max: 1 });
  try {
    const names = await sql<{ name: string }[]>`SELECT c.relname AS name FROM pg_class c
      WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v') AND relname LIKE 'diagnostics%'`;
    const found: Record<string, string> = {};
    for (const { name } of names) {
      const [row] =
        await sql`SELECT count(*) || ' ' || coalesce(md5(string_agg(f.text, '|' ORDER BY f.text)), '') AS all
        FROM ${sql(name)} t, LATERAL (SELECT (to_jsonb(t) - ${INEXACT}::text[])::text) AS f (text)`;
      found[name] = row!.all;
    }
    for (const row of await sql`SELECT sequencename AS name, last_value::text AS value FROM pg_sequences
      WHERE schemaname = 'public'`)
      found[row.name] = row.value ?? "unused";
    return found;
  } finally {
    await sql.end();
  }
}

describe.skipIf(programs === null)(`a backup${programs === null ? ` (${NONE})` : ""}`, () => {
  let stack: Stack;
  let folder: string;
  beforeAll(async () => {
    stack = await Stack.create();
    folder = await mkdtemp(join(tmpdir(), "hydraulic-backup-"));
  });
  afterAll(async () => {
    await rm(folder, { recursive: true });
    await stack.close();
  });

  async function shell(commands: string): Promise<void> {
    const child = Bun.spawn(["sh", "-eu", "-c", commands], {
      cwd: folder,
      env: {
        PATH: `${programs}:/usr/bin:/bin`,
        DATABASE_URL: stack.urls.database,
        ADMIN_URL: process.env.DATABASE_URL!,
      },
      stdout: "pipe",
      stderr: "pipe",
    });
    const [out, err, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
    if (code !== 0) throw new Error(`${commands}\nended with ${code}\n${out}${err}`);
  }

  test(
    "restored by the documented commands has every row, and what waited in Redis is stored once",
    async () => {
      const worker = await stack.start("worker");
      const api = await stack.start("api");
      const load = await stack.load(20_261_127);
      const beyond = (count: number) =>
        until("batches are accepted", () => load.accepted.size >= count, 60_000);
      await beyond(BATCHES);
      await until("some of them are stored", async () => {
        const [row] = await stack.reckoning.sql`SELECT 1 FROM diagnostics_sensordata LIMIT 1`;
        return row !== undefined;
      });
      worker.signal("SIGTERM");
      await worker.end(60_000);
      await beyond(load.accepted.size + BATCHES);
      await load.stop();
      api.signal("SIGTERM");
      await api.end(60_000);
      expect(await stack.reckoning.streamLength()).toBeGreaterThanOrEqual(BATCHES);

      const before = await contents(stack.urls.database);
      expect(before.diagnostics_sensordata).not.toStartWith("0 ");
      await shell(commandsOf("Dump"));
      const name = new URL(stack.urls.database).pathname.slice(1);
      await shell(`psql "$ADMIN_URL" -c 'DROP DATABASE ${name} WITH (FORCE)'`);
      await expect(contents(stack.urls.database)).rejects.toThrow("does not exist");
      await shell(commandsOf("Restore").replace("CREATE DATABASE hydraulic", `CREATE DATABASE ${name}`));
      expect(await contents(stack.urls.database)).toEqual(before);

      await stack.start("worker");
      await stack.settle(load);
    },
    TEST_MS,
  );
});
