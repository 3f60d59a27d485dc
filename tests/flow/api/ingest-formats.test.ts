/** NDJSON and CSV at the ingest endpoint: what is taken, what is kept of it, and what is refused. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { gzipSync } from "node:zlib";
import { decodeEntry } from "../../../src/contract/entry.ts";
import { streamKey } from "../../../src/stream/keys.ts";
import { ApiBench, batchOf, type TestApi } from "../../support/api.ts";
import { expectProblem } from "../../support/problem.ts";

let bench: ApiBench;
let api: TestApi;
beforeAll(async () => {
  bench = await ApiBench.create();
  api = await bench.start();
});
afterAll(() => bench.close());

const SYSTEM = batchOf(1).system_id;
const ndjson = (count: number) =>
  batchOf(count)
    .readings.map((one) => `${JSON.stringify(one)}\n`)
    .join("");
const HEADER = "sensor_id,timestamp,value,unit,quality\n";
const csv = (count: number) =>
  HEADER +
  batchOf(count)
    .readings.map((one) => `${Object.values(one).join(",")}\n`)
    .join("");
const FORMATS = [
  ["ndjson", "application/x-ndjson", ndjson],
  ["csv", "text/csv", csv],
] as const;

/** Send a batch that names its system in the query, unless told otherwise. */
const send = (
  token: string,
  type: string,
  body: string | Uint8Array<ArrayBuffer>,
  { query = `?system_id=${SYSTEM}`, headers = {} as Record<string, string> } = {},
) => api.ingest(token, body, { "Content-Type": type, ...headers }, query);

async function lastEntry() {
  const [entry] = await bench.redis.xrevrangeBuffer(streamKey(0), "+", "-", "COUNT", 1);
  const { meta, body } = decodeEntry(entry![1]);
  return { meta, body: body.toString() };
}

describe.each(FORMATS)("a batch as %s", (format, type, bodyOf) => {
  test("is answered 202 with its job, and waits in the stream as it was sent", async () => {
    const { token } = await api.tokenFor("producer");
    for (const count of [1, 10_000]) {
      const response = await send(token, type, bodyOf(count));
      expect(response.status).toBe(202);
      const { job_id } = (await response.json()) as { job_id: string };
      expect(response.headers.get("Location")).toBe(`/api/v1/jobs/${job_id}/`);
      const { meta, body } = await lastEntry();
      expect(meta).toMatchObject({ job_id, format, system_id: SYSTEM, total_readings: count });
      expect(body).toBe(bodyOf(count));
    }
  });

  test("may come compressed, with a byte order mark, and with its system in capitals", async () => {
    const { token } = await api.tokenFor("producer");
    const query = `?system_id=${SYSTEM.toUpperCase()}`;
    const headers = { "Content-Encoding": "gzip" };
    const response = await send(token, type, gzipSync(`\uFEFF${bodyOf(3)}`), { query, headers });
    expect(response.status).toBe(202);
    const { meta, body } = await lastEntry();
    expect(meta).toMatchObject({ system_id: SYSTEM, total_readings: 3 });
    expect(body).toBe(bodyOf(3));
  });

  test("counts in requests and readings as JSON does", async () => {
    const { token } = await api.tokenFor("producer", { requests_per_minute: 3, readings_per_minute: 10 });
    expect((await send(token, type, bodyOf(6))).status).toBe(202);
    const { detail } = await expectProblem(await send(token, type, bodyOf(6)), "rate-limited");
    expect(detail).toContain("4 are left, the batch has 6");
    expect((await send(token, type, bodyOf(4))).status).toBe(202);
    await expectProblem(await send(token, type, bodyOf(1)), "rate-limited");
  });

  test("makes one job for one Idempotency-Key, and another system is another batch", async () => {
    const { token } = await api.tokenFor("producer");
    const headers = { "Idempotency-Key": `key-${format}` };
    const first = await send(token, type, bodyOf(2), { headers });
    const again = await send(token, type, gzipSync(bodyOf(2)), {
      headers: { ...headers, "Content-Encoding": "gzip" },
    });
    expect(again.headers.get("Idempotent-Replayed")).toBe("true");
    expect(await again.json()).toEqual(await first.json());
    const query = "?system_id=550e8400-e29b-41d4-a716-4466554400ff";
    await expectProblem(await send(token, type, bodyOf(2), { headers, query }), "idempotency-mismatch");
  });

  test("is refused without a good system_id in the query, before it counts", async () => {
    const { token } = await api.tokenFor("producer", { requests_per_minute: 1 });
    for (const query of ["", "?system_id=", "?system_id=rig-7"]) {
      const { errors } = await expectProblem(
        await send(token, type, bodyOf(1), { query }),
        "invalid-request",
      );
      expect(errors?.map(({ pointer }) => pointer)).toEqual(["/system_id"]);
    }
    expect((await send(token, type, bodyOf(1))).status).toBe(202);
  });

  test("is refused when it is no UTF-8", async () => {
    const { token } = await api.tokenFor("producer");
    const body = Buffer.concat([Buffer.from(bodyOf(1)), Buffer.from([0xff, 0xfe])]);
    await expectProblem(await send(token, type, body), "malformed-encoding");
  });

  test("is refused with more readings than a batch may have, and the number is said", async () => {
    const { token } = await api.tokenFor("producer");
    const before = await bench.streamLength();
    const { detail } = await expectProblem(await send(token, type, bodyOf(10_001)), "invalid-request");
    expect(detail).toBe("The body has 10001 readings; a request takes 10000.");
    expect(await bench.streamLength()).toBe(before);
  });
});

test.each([
  ["application/x-ndjson", "", "The body has no readings."],
  ["application/x-ndjson", " \n\r\n", "The body has no readings."],
  ["text/csv", "", "The body cannot be read: the body is empty; its first line must name the columns."],
  ["text/csv", HEADER, "The body has no readings."],
  ["text/csv", "sensor_id,value\n", "The body cannot be read: the header lacks the column timestamp, unit."],
  [
    "text/csv",
    `${HEADER}s,"t,1,bar,9\n`,
    "The body cannot be read: the quotation mark in line 2 is never closed.",
  ],
])("%s %j is refused whole, with what is wrong", async (type, body, expected) => {
  const { token } = await api.tokenFor("producer");
  const before = await bench.streamLength();
  const { detail } = await expectProblem(await send(token, type, body), "invalid-request");
  expect(detail).toBe(expected);
  expect(await bench.streamLength()).toBe(before);
});

test("lines that are no readings are for the quarantine, not for a 400", async () => {
  const { token } = await api.tokenFor("producer");
  expect((await send(token, "application/x-ndjson", "{\nnull\nx\n")).status).toBe(202);
  expect((await lastEntry()).meta.total_readings).toBe(3);
  expect((await send(token, "text/csv", `${HEADER}1\n"a"b,c\n`)).status).toBe(202);
  expect((await lastEntry()).meta.total_readings).toBe(2);
});
