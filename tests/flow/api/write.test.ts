/** `POST /api/v2/write` as InfluxDB's clients use it: who may, which system, what is kept, and errors they understand. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { gzipSync } from "node:zlib";
import { decodeEntry } from "../../../src/contract/entry.ts";
import { streamKey } from "../../../src/stream/keys.ts";
import { ApiBench, type TestApi } from "../../support/api.ts";
import { newSystem, type TestSystem } from "../../support/registry.ts";
import { until } from "../../support/until.ts";

let bench: ApiBench;
let api: TestApi;
let admin: string;
let system: TestSystem;
beforeAll(async () => {
  bench = await ApiBench.create();
  api = await bench.start({ config: { MAX_BODY_BYTES: 2_000_000 } });
  admin = (await api.tokenFor("admin")).token;
  system = await newSystem(api, admin, { name: "Press 7, hall 2" });
  await api.systemNames.refresh();
});
afterAll(() => bench.close());

const LINES = "pump,line=1,unit=bar pressure=125.5,return=2.25 1768132800000000000\n";

const write = (
  token: string | null,
  body: string | Uint8Array<ArrayBuffer> = LINES,
  { query = { bucket: system.id } as Record<string, string>, headers = {} as Record<string, string> } = {},
) =>
  api.fetch(`/api/v2/write?${new URLSearchParams(query)}`, {
    method: "POST",
    headers: {
      "Content-Type": "text/plain; charset=utf-8",
      ...(token === null ? {} : { Authorization: `Token ${token}` }),
      ...headers,
    },
    body,
  });

async function lastEntry() {
  const [entry] = await bench.redis.xrevrangeBuffer(streamKey(0), "+", "-", "COUNT", 1);
  const { meta, body } = decodeEntry(entry![1]);
  return { meta, body: body.toString() };
}

async function errorOf(response: Response, status: number) {
  expect(response.status).toBe(status);
  expect(response.headers.get("Content-Type")).toBe("application/json");
  expect(response.headers.get("X-Request-Id")).toBeTruthy();
  return (await response.json()) as { code: string; message: string; line?: number };
}

describe("lines", () => {
  test("are answered 204 without a body, with their job; they wait in the stream as they were sent", async () => {
    const { token } = await api.tokenFor("producer");
    const response = await write(token);
    expect(response.status).toBe(204);
    expect(await response.text()).toBe("");
    const { meta, body } = await lastEntry();
    expect(response.headers.get("Location")).toBe(`/api/v1/jobs/${meta.job_id}/`);
    expect(meta).toMatchObject({ format: "line", precision: "ns", system_id: system.id, total_readings: 2 });
    expect(body).toBe(LINES);
    const job = await api.job(token, meta.job_id);
    expect(await job.json()).toMatchObject({ status: "queued", total_readings: 2 });
  });

  test("may name their system, say their precision, and come compressed, whatever their Content-Type", async () => {
    const { token } = await api.tokenFor("producer");
    const query = { bucket: system.name, org: "anything", precision: "ms" };
    const headers = { "Content-Encoding": "gzip", "Content-Type": "application/x-www-form-urlencoded" };
    expect((await write(token, gzipSync("pump a=1 1768132800000"), { query, headers })).status).toBe(204);
    const { meta, body } = await lastEntry();
    expect(meta).toMatchObject({ precision: "ms", system_id: system.id, total_readings: 1 });
    expect(body).toBe("pump a=1 1768132800000");
  });

  test.each(["Token", "token", "Bearer"])("may show who sends them as %s", async (scheme) => {
    const { token } = await api.tokenFor("producer");
    const headers = { Authorization: `${scheme} ${token}` };
    expect((await write(null, LINES, { headers })).status).toBe(204);
  });

  test("of ten thousand readings are one batch; of one more they are refused so that Telegraf halves them", async () => {
    const { token } = await api.tokenFor("producer");
    const line = (fields: number) =>
      `pump ${Array.from({ length: fields }, (_, i) => `f${i}=1`).join(",")}\n`;
    expect((await write(token, line(5_000) + line(5_000))).status).toBe(204);
    expect((await lastEntry()).meta.total_readings).toBe(10_000);
    const before = await bench.streamLength();
    expect(await errorOf(await write(token, line(5_000) + line(5_001)), 413)).toEqual({
      code: "request too large",
      message: "The body has 10001 readings; a request takes 10000.",
    });
    expect(await bench.streamLength()).toBe(before);
  });

  test("beyond a whole minute's budget are refused so that Telegraf halves them; what fits later is to be sent later", async () => {
    const { token } = await api.tokenFor("producer", { readings_per_minute: 2 });
    const refused = await write(token, "pump a=1,b=1,c=1");
    expect(refused.headers.get("Retry-After")).toBeNull();
    expect(refused.headers.get("RateLimit-Readings-Limit")).toBe("2");
    expect(await errorOf(refused, 413)).toEqual({
      code: "request too large",
      message: "The body has 3 readings; a whole minute's budget is 2.",
    });
    expect((await write(token, "pump a=1,b=1")).status).toBe(204);
    const later = await write(token, "pump c=1");
    expect(Number(later.headers.get("Retry-After"))).toBeWithin(1, 61);
    expect((await errorOf(later, 429)).code).toBe("too many requests");
  });

  test("that cannot be read are for the quarantine, not for a 400", async () => {
    const { token } = await api.tokenFor("producer");
    expect((await write(token, "garbage\npump a=1,b,c=x\n")).status).toBe(204);
    expect((await lastEntry()).meta.total_readings).toBe(4);
  });

  test("make one job for one Idempotency-Key, and another precision is another batch", async () => {
    const { token } = await api.tokenFor("producer");
    const headers = { "Idempotency-Key": "line" };
    const first = await write(token, LINES, { headers });
    const again = await write(token, LINES, { headers });
    expect([first.status, again.status]).toEqual([204, 204]);
    expect(again.headers.get("Location")).toBe(first.headers.get("Location"));
    expect(again.headers.get("Idempotent-Replayed")).toBe("true");
    const query = { bucket: system.id, precision: "s" };
    expect((await errorOf(await write(token, LINES, { headers, query }), 422)).code).toBe(
      "unprocessable entity",
    );
  });
});

test("what is accepted is counted by its format, and what is refused is not", async () => {
  const { token } = await api.tokenFor("producer");
  const counted = async () => {
    const text = await (await api.fetch("/metrics")).text();
    const of = (name: string) =>
      Number(new RegExp(`^${name}{format="line"} (\\d+)$`, "m").exec(text)?.[1] ?? 0);
    return [of("hydraulic_accepted_batches_total"), of("hydraulic_accepted_readings_total")];
  };
  const [batches = 0, readings = 0] = await counted();
  await write(token);
  await write(token, "# nothing");
  expect(await counted()).toEqual([batches + 1, readings + 2]);
});

describe("an error has InfluxDB's shape, and nothing is stored:", () => {
  test.each([
    ["no token", null, {}, LINES, 401, "unauthorized"],
    ["a token that is none", "x", {}, LINES, 401, "unauthorized"],
    ["no bucket", "", { query: {} }, LINES, 400, "invalid"],
    ["an unknown bucket", "", { query: { bucket: "nowhere" } }, LINES, 404, "not found"],
    [
      "an unknown precision",
      "",
      { query: { bucket: "Press 7, hall 2", precision: "m" } },
      LINES,
      400,
      "invalid",
    ],
    ["no lines", "", {}, "\n# nothing\n", 400, "invalid"],
    ["no UTF-8", "", {}, new Uint8Array([0x61, 0xff]), 400, "invalid"],
    [
      "an unknown coding",
      "",
      { headers: { "Content-Encoding": "br" } },
      LINES,
      415,
      "unsupported media type",
    ],
    ["what is no gzip", "", { headers: { "Content-Encoding": "gzip" } }, LINES, 400, "invalid"],
    ["too large a body", "", {}, LINES.padEnd(2_000_001, "\n"), 413, "request too large"],
    ["an Idempotency-Key that is none", "", { headers: { "Idempotency-Key": "a b" } }, LINES, 400, "invalid"],
  ] as const)("%s", async (_, given, options, body, status, code) => {
    const token = given === "" ? (await api.tokenFor("producer")).token : given;
    const before = await bench.streamLength();
    const error = await errorOf(await write(token, body as string, options as object), status);
    expect(error.code).toBe(code);
    expect(error.message.length).toBeGreaterThan(5);
    expect(await bench.streamLength()).toBe(before);
  });

  test("a quotation without an end, with its line", async () => {
    const { token } = await api.tokenFor("producer");
    expect(await errorOf(await write(token, 'pump a=1\npump b="x\n'), 400)).toEqual({
      code: "invalid",
      message: "The body cannot be read: the quotation mark in line 2 is never closed.",
      line: 2,
    });
  });

  test("a reviewer", async () => {
    const { token } = await api.tokenFor("reviewer");
    expect((await errorOf(await write(token), 403)).code).toBe("forbidden");
  });

  test("too many requests or readings, with when to try again", async () => {
    const { token } = await api.tokenFor("producer", { requests_per_minute: 2, readings_per_minute: 3 });
    expect((await write(token)).status).toBe(204);
    for (let i = 0; i < 2; i += 1) {
      const response = await write(token);
      expect(Number(response.headers.get("Retry-After"))).toBeGreaterThan(0);
      expect((await errorOf(response, 429)).code).toBe("too many requests");
    }
  });

  test("a Redis that is away", async () => {
    const { token } = await api.tokenFor("producer");
    bench.redisProxy.refuse();
    try {
      const response = await write(token);
      expect(response.headers.get("Retry-After")).toBeTruthy();
      expect((await errorOf(response, 503)).code).toBe("unavailable");
    } finally {
      bench.redisProxy.resume();
      await until("Redis is back", async () => (await write(token)).status === 204);
    }
  });
});

describe("names of systems", () => {
  const bucket = async (name: string) => {
    const { token } = await api.tokenFor("producer");
    return write(token, LINES, { query: { bucket: name } });
  };

  test("that several have are of no use, until one is left", async () => {
    const twins = [
      await newSystem(api, admin, { name: "twin" }),
      await newSystem(api, admin, { name: "twin" }),
    ];
    await api.systemNames.refresh();
    expect((await errorOf(await bucket("twin"), 400)).message).toContain("several systems have this name");
    await api.call(admin, "DELETE", `/api/v1/systems/${twins[0]!.id}`);
    await api.systemNames.refresh();
    expect((await bucket("twin")).status).toBe(204);
    expect((await lastEntry()).meta.system_id).toBe(twins[1]!.id);
  });

  test("follow a renaming and an archiving", async () => {
    const { id } = await newSystem(api, admin, { name: "old name" });
    await api.systemNames.refresh();
    await api.call(admin, "PATCH", `/api/v1/systems/${id}`, { name: "new name" });
    await api.systemNames.refresh();
    expect([(await bucket("old name")).status, (await bucket("new name")).status]).toEqual([404, 204]);
    await api.call(admin, "DELETE", `/api/v1/systems/${id}`);
    await api.systemNames.refresh();
    expect((await bucket("new name")).status).toBe(404);
  });

  test("count on while Postgres is away", async () => {
    const { token } = await api.tokenFor("producer");
    const query = { bucket: "Press 7, hall 2" };
    expect((await write(token, LINES, { query })).status).toBe(204);
    bench.postgresProxy.refuse();
    try {
      await expect(api.systemNames.refresh()).rejects.toThrow();
      expect((await write(token, LINES, { query })).status).toBe(204);
    } finally {
      bench.postgresProxy.resume();
    }
  });
});
