/** The disk of the log is full from the first line on: the service serves all the same, and ends as it should. */
import { afterEach, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { choosePort } from "../../src/services/free-port.ts";
import { BatchSource, randomFrom, seedOf } from "../support/fault/batches.ts";
import { loginFeeder, postBatch } from "../support/fault/load.ts";
import { Stack } from "../support/stack.ts";
import { until } from "../support/until.ts";

const TEST_MS = 240_000;
/** Every write to it says that there is no space (full(4)). */
const FULL = "/dev/full";
const seed = seedOf("log-disk");
let stack: Stack | undefined;
let child: Bun.Subprocess | undefined;

afterEach(async () => {
  child?.kill("SIGKILL");
  await stack?.close();
}, TEST_MS);

test.skipIf(!existsSync(FULL)).each(["json", "text"])(
  "a log in %s that nobody can write",
  async (format) => {
    stack = await Stack.create({ LOG_FORMAT: format, LOG_LEVEL: "debug" });
    const port = String(await choosePort(undefined, []));
    const url = `http://127.0.0.1:${port}`;
    const full = () => Bun.file(FULL);
    child = Bun.spawn([process.execPath, "src/main.ts", "start"], {
      env: { PATH: process.env.PATH ?? "", ...stack.environment({ PORT: port }) },
      stdio: ["ignore", full(), full()],
    });
    await until(
      "it is ready",
      () =>
        fetch(`${url}/readyz`).then(
          ({ ok }) => ok,
          () => false,
        ),
      60_000,
    );
    const batch = new BatchSource(randomFrom(seed), 50).next();
    const response = await postBatch(url, await loginFeeder(url), batch);
    expect(response.status).toBe(202);
    const { job_id } = (await response.json()) as { job_id: string };
    const { sql } = stack.reckoning;
    await until("it is stored", async () => {
      const rows =
        await sql`SELECT 1 FROM diagnostics_ingestion_job WHERE id = ${job_id} AND status = 'completed'`;
      return rows.length === 1;
    });
    child.kill("SIGTERM");
    expect(await child.exited).toBe(0);
  },
  TEST_MS,
);
