import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { Value } from "@sinclair/typebox/value";
import { readJob } from "../../../src/client/answers.ts";
import {
  type ClientOptions,
  HydraulicClient,
  type Job,
  OptionsError,
  type Reading,
} from "../../../src/client/index.ts";
import { JOB_STATES } from "../../../src/client/types.ts";
import { JOB_STATES as CONTRACT_STATES, type JobView, toJobView } from "../../../src/contract/job.ts";
import { BatchSchema, MAX_READINGS_PER_BATCH, ReadingSchema } from "../../../src/contract/reading.ts";
import { clientOf, readingAt, readingsFrom, refusalOf, SYSTEM } from "../../support/client.ts";
import { FakeService } from "../../support/fake-service.ts";
import { until } from "../../support/until.ts";

let fake: FakeService;
beforeEach(async () => {
  fake = await FakeService.start();
});
afterEach(() => fake.stop());

const authorizations = () =>
  fake.requests.filter((r) => r.route === "ingest").map((r) => r.headers.authorization);
const BATCH = { system_id: SYSTEM, readings: readingsFrom(0, 1) };

describe("an option that cannot work is named", () => {
  const good = { url: "http://127.0.0.1:1", auth: { token: "t" }, system_id: SYSTEM };
  test.each<[string, Record<string, unknown>]>([
    ["url", { url: "localhost:8000" }],
    ["url", { url: "ftp://host" }],
    ["url", { url: "http://user@host" }],
    ["url", { url: "http://host/?a=b" }],
    ["auth", { auth: {} }],
    ["auth", { auth: { token: "t", apiKey: "k" } }],
    ["auth.token", { auth: { token: "" } }],
    ["auth.apiKey", { auth: { apiKey: "a\nb: c" } }],
    ["auth.password", { auth: { username: "u" } }],
    ["system_id", { system_id: "press 7" }],
    ["batch.max_readings", { batch: { max_readings: 0 } }],
    ["batch.max_readings", { batch: { max_readings: MAX_READINGS_PER_BATCH + 1 } }],
    ["batch.max_bytes", { batch: { max_bytes: 1e9 } }],
    ["batch.max_age_ms", { batch: { max_age_ms: Number.NaN } }],
    ["buffer.max_bytes", { buffer: { max_bytes: 1 } }],
    ["buffer.when_full", { buffer: { when_full: "drop" } }],
    ["compression", { compression: "brotli" }],
    ["concurrency", { concurrency: 1.5 }],
    ["acknowledge", { acknowledge: "stored" }],
    ["retry.deadline_ms", { retry: { deadline_ms: -1 } }],
    ["spool.folder", { spool: { folder: "" } }],
    ["spool.max_bytes", { spool: { folder: "x", max_bytes: 1 } }],
    ["spool.segment_bytes", { spool: { folder: "x", max_bytes: 1e6, segment_bytes: 1e6 } }],
    ["spool.fsync", { spool: { folder: "x", fsync: "often" } }],
  ])("%s in %j", (name, wrong) => {
    const make = () => new HydraulicClient({ ...good, ...wrong } as unknown as ClientOptions);
    expect(make).toThrow(OptionsError);
    expect(make).toThrow(new RegExp(`^${name.replace(".", "\\.")} must `));
  });

  test("a client without a system sends batches, and says what it misses when it shall write", async () => {
    const client = new HydraulicClient({
      url: fake.url,
      auth: { username: "feeder-1", password: "password" },
    });
    expect((await client.send(BATCH)).replayed).toBe(false);
    expect((await refusalOf(client.write(readingAt(1)))).message).toContain("system_id is needed");
    expect(await refusalOf(clientOf(fake.url).writeMany([null as never]))).toBeInstanceOf(TypeError);
  });
});

describe("the client shows who it is", () => {
  test("by a token or an API key, which a 401 does not change", async () => {
    for (const auth of [{ token: "t-1" }, { apiKey: "k-1" }]) {
      const client = clientOf(fake.url, { auth });
      expect(await refusalOf(client.send(BATCH))).toMatchObject({ status: 401 });
    }
    expect(authorizations()).toEqual(["Bearer t-1", "Bearer k-1"]);
    expect(fake.count("login")).toBe(0);
  });

  test("by a function that is asked again after a 401", async () => {
    const login = await fetch(`${fake.url}/api/v1/auth/login`, {
      method: "POST",
      body: JSON.stringify({ username: "feeder-1", password: "password" }),
    });
    const { access_token } = (await login.json()) as { access_token: string };
    const tokens = ["old", access_token];
    const client = clientOf(fake.url, { auth: { token: async () => tokens.shift()! } });
    await client.send(BATCH);
    expect(authorizations()).toEqual(["Bearer old", `Bearer ${access_token}`]);
  });

  test("and shares a login with a request that is given up meanwhile", async () => {
    fake.script("login", "hang");
    const client = clientOf(fake.url);
    const stop = new AbortController();
    const first = refusalOf(client.send(BATCH, { signal: stop.signal }));
    await until("it logs in", () => fake.count("login") === 1);
    const second = client.send(BATCH);
    stop.abort();
    expect(await first).toMatchObject({ name: "StoppedError" });
    await second;
    expect(fake.count("login")).toBe(2);
  });
});

test("a path before the API is kept", async () => {
  const asked: string[] = [];
  const client = clientOf("http://gateway/plant-7/", {
    auth: { token: "t" },
    fetch: (async (url: string) => {
      asked.push(url);
      return Response.json({ job_id: "j" }, { status: 202 });
    }) as unknown as typeof fetch,
  });
  await client.send(BATCH);
  expect(asked).toEqual(["http://gateway/plant-7/api/v1/data/ingest"]);
});

test("a reading may be what the contract lets it be", () => {
  const timestamp = "2026-01-01T00:00:00Z";
  const readings: Reading[] = [
    { sensor_id: SYSTEM, timestamp, value: 1, unit: "bar", quality: 90 },
    { sensor: "PT4", timestamp, value: 1 },
    { sensor: "PT4", timestamp, value: 1, unit: "psi" },
  ];
  const fields = new Set(readings.flatMap((reading) => Object.keys(reading)));
  expect([...fields].sort()).toEqual(Object.keys(ReadingSchema.properties).sort());
  for (const reading of readings)
    expect(Value.Check(BatchSchema, { system_id: SYSTEM, readings: [reading] })).toBe(true);
});

test("what the client knows of a job is what the contract says", () => {
  // Both ways, for the compiler.
  const view: JobView = toJobView({
    job_id: "0197",
    system_id: SYSTEM,
    created_by: "u",
    status: "completed",
    total_readings: 2,
    inserted_readings: 1,
    duplicate_readings: 0,
    quarantined_readings: 1,
    created_at_ms: 1,
    started_at_ms: 2,
    completed_at_ms: 3,
    error_message: null,
  });
  const job: Job = view;
  const back: JobView = job;
  expect(readJob(JSON.stringify(view), "the job")).toEqual(back);
  expect(JOB_STATES).toEqual(CONTRACT_STATES);
  for (const field of Object.keys(view)) {
    const { [field as keyof JobView]: _, ...less } = view;
    expect(() => readJob(JSON.stringify(less), "the job")).toThrow(`/${field}: `);
  }
});

test("what a callback throws is the program's to hear, and does not end the sending", async () => {
  const program = `
    import { HydraulicClient } from ${JSON.stringify(join(import.meta.dir, "../../../src/client/index.ts"))};
    process.on("uncaughtException", (error) => console.log("heard", error.message));
    const client = new HydraulicClient({
      url: ${JSON.stringify(fake.url)}, system_id: ${JSON.stringify(SYSTEM)}, batch: { max_readings: 1 },
      auth: { username: "feeder-1", password: "password" }, onAccepted: () => { throw new Error("mine"); },
    });
    await client.writeMany(${JSON.stringify(readingsFrom(0, 3))});
    await client.close();`;
  const child = Bun.spawn([process.execPath, "-e", program], { stdout: "pipe", stderr: "pipe" });
  expect(await new Response(child.stdout).text()).toBe("heard mine\nheard mine\nheard mine\n");
  expect(await child.exited).toBe(0);
  expect(fake.stored.size).toBe(3);
});

test("a program that ends without close has sent what it wrote, and is not kept alive after that", async () => {
  const program = `
    import { HydraulicClient } from ${JSON.stringify(join(import.meta.dir, "../../../src/client/index.ts"))};
    const client = new HydraulicClient({
      url: ${JSON.stringify(fake.url)}, system_id: ${JSON.stringify(SYSTEM)}, batch: { max_age_ms: 50 },
      auth: { username: "feeder-1", password: "password" },
    });
    await client.writeMany(${JSON.stringify(readingsFrom(0, 3))});`;
  const child = Bun.spawn([process.execPath, "-e", program], { timeout: 60_000 });
  expect(await child.exited).toBe(0);
  expect(fake.stored.size).toBe(3);
});
