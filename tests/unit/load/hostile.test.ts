/** The hostile run finds what it is for: each fault is called one, and the same seed makes the same requests. */
import { describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UsageError } from "../../../load/command-line.ts";
import { Answers } from "../../../load/hostile/answers.ts";
import { faultOf } from "../../../load/hostile/attack.ts";
import type { Ground } from "../../../load/hostile/ground.ts";
import { differences } from "../../../load/hostile/kept.ts";
import { caseOf } from "../../../load/hostile/mix.ts";
import { readOptions } from "../../../load/hostile/options.ts";
import { type HostileResult, judgeRun, passed } from "../../../load/hostile/result.ts";
import { routesOf } from "../../../load/hostile/routes.ts";
import { save } from "../../../load/hostile/save.ts";

const bytes = (text: string) => Buffer.from(text, "latin1");

describe("answers on one connection", () => {
  const two = "HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\nabcHTTP/1.1 204 No Content\r\n\r\n";
  test.each([1, 2, 7, 1_000])("are told apart in pieces of %d bytes", (size) => {
    const answers = new Answers();
    const found: number[] = [];
    for (let at = 0; at < two.length; at += size)
      found.push(...answers.take(bytes(two.slice(at, at + size))).map(({ status }) => status));
    expect(found).toEqual([404, 204]);
    expect(answers.rest).toBe("");
  });

  test("end with their chunks, and interim ones do not count", () => {
    const answers = new Answers();
    const text =
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n";
    expect(answers.take(bytes(text))).toEqual([]);
    expect(answers.take(bytes("0\r\n\r\n"))).toEqual([{ status: 200, closes: false, endless: false }]);
  });

  test("to HEAD have no body, and a stream without an end is over with its head", () => {
    const head = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: close\r\n\r\n";
    expect(new Answers(() => true).take(bytes(head))).toEqual([
      { status: 200, closes: true, endless: false },
    ]);
    const events = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
    expect(new Answers().take(bytes(events))).toEqual([{ status: 200, closes: false, endless: true }]);
  });
});

describe("an outcome", () => {
  const of = (statuses: number[], more = {}) => ({
    statuses,
    closed: false,
    hung: false,
    took_ms: 1,
    ...more,
  });
  const refused = { expect: "refused", end: "wait" } as const;
  const harmless = { expect: "harmless", end: "wait" } as const;
  test.each([
    ["a refusal", refused, of([400]), null],
    ["a closed connection", refused, of([], { closed: true }), null],
    ["a version that is not known", harmless, of([505]), null],
    ["an answer to a question", harmless, of([200]), null],
    ["a batch that was taken", refused, of([202]), "accepted"],
    ["one of several that was taken", refused, of([400, 202, 400]), "accepted"],
    ["an error", harmless, of([500]), "5xx"],
    ["an overload", refused, of([503]), "5xx"],
    ["an answer that is none", refused, of([Number.NaN]), "5xx"],
    ["silence", harmless, of([], { hung: true }), "no answer"],
  ])("%s", (_, one, outcome, fault) => {
    expect(faultOf(one, outcome)).toBe(fault as never);
  });
});

const ground: Ground = {
  routes: routesOf({
    paths: {
      "/api/v1/data/ingest": {
        post: {
          operationId: "ingestBatch",
          security: [{}],
          requestBody: {
            content: {
              "application/json": { schema: { required: ["system_id"] }, example: { system_id: "x" } },
            },
          },
        },
      },
      "/api/v1/jobs/{job_id}": {
        get: { operationId: "getJob", security: [{}], parameters: [{ name: "limit", in: "query" }] },
      },
    },
    components: { schemas: {} },
  }),
  victim: "550e8400-e29b-41d4-a716-446655440000",
  odd: "550e8400-e29b-41d4-a716-446655440001",
  admin: "e30.e30.AAAA",
  producer: "e30.e30.BBBB",
  key: "hi_abc",
  expired: "e30.e30.CCCC",
};
const sent = (seed: number, n: number) => {
  const { kind, shape, pieces } = caseOf(ground, seed, n);
  return `${kind}: ${shape}\n${Buffer.concat(pieces.filter((piece) => typeof piece !== "number")).toString("latin1")}`;
};
/** What is made when it is sent: good readings are of the last day. */
const withoutTimes = (text: string) =>
  text.replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "").replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, "");

test("the same seed makes the same requests, another one others", () => {
  const numbers = Array.from({ length: 300 }, (_, n) => n);
  const kinds = (seed: number) =>
    numbers.map((n) => caseOf(ground, seed, n)).map(({ kind, shape }) => `${kind} ${shape}`);
  expect(kinds(1)).toEqual(kinds(1));
  expect(kinds(1)).not.toEqual(kinds(2));
  for (const n of numbers.filter((one) => caseOf(ground, 1, one).kind === "JSON"))
    expect(withoutTimes(sent(1, n))).toBe(withoutTimes(sent(1, n)));
  expect(new Set(kinds(1)).size).toBeGreaterThan(50);
});

test("what is kept is compared table by table, and keys without an end count", () => {
  const before = { tables: { a: "1 rows, 5", b: "0 rows, 0" }, keys: ["stream"] };
  expect(differences(before, before)).toEqual([]);
  const after = { tables: { a: "1 rows, 6", b: "0 rows, 0", c: "1 rows, 1" }, keys: ["left", "stream"] };
  expect(differences(before, after)).toEqual([
    "a: 1 rows, 5 before, 1 rows, 6 after",
    "c: undefined before, 1 rows, 1 after",
    "Redis: left stays",
  ]);
});

const SPEED = { rows_per_s: 100_000, accept: { p50: 1, p95: 10, p99: 20 }, cpu_us: 2 };
const BURDEN = { rss_bytes: 200 * 2 ** 20, descriptors: 50, threads: 12 };
const GOOD: Omit<HostileResult, "bounds"> = {
  date: "2026-11-27T16:00:00.000Z",
  seed: 7,
  count: 100_000,
  machine: {
    cpu: "c",
    cores: 2,
    memory_gib: 4,
    kernel: "k",
    bun: "b",
    postgres: "p",
    timescaledb: "t",
    redis: "r",
    commit: "abc",
    load_before: 0,
  },
  attack: {
    requests: 100_000,
    seconds: 100,
    kinds: {},
    statuses: { 400: 9 },
    operations: { getJob: 9 },
    slowest: [],
    faults: 0,
    told: [],
  },
  honest: { sent: 10, not_accepted: {}, accepted: { jobs: 10, rows: 1_000 }, accept: SPEED.accept },
  odd: { batches: 1, readings: 1, inserted: 0, duplicate: 0, quarantined: 1 },
  speed: [SPEED, SPEED],
  burden: [BURDEN, BURDEN],
  left: [],
  complaints: { server_errors: 0, log_errors: 0 },
  routes: 1,
};

describe("a run", () => {
  test("that found nothing passes, and is written down", async () => {
    const bounds = judgeRun(GOOD, true);
    expect(bounds.map(({ ok }) => ok)).not.toContain(false);
    const folder = await mkdtemp(join(tmpdir(), "hostile-"));
    try {
      expect(await save({ ...GOOD, bounds }, folder)).toBe("2026-11-27-hostile.json");
      expect(await Bun.file(join(folder, "hostile.md")).text()).toEndWith(
        "| [2026-11-27](2026-11-27-hostile.json) | 7 | abc | c, 2 cores | 100,000 | 100 | 0 | 10 ms | 0 | 1.00 | 1.00 | 1.00 | nothing |\n",
      );
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  const fault = {
    what: "5xx",
    name: "hostile 1",
    kind: "k",
    shape: "s",
    operation: null,
    statuses: [500],
    behind: null,
  } as const;
  test.each<[string, Partial<HostileResult>]>([
    ["an answer with 5xx", { attack: { ...GOOD.attack, faults: 1, told: [fault] } }],
    ["something stored", { left: ["diagnostics_user: …"] }],
    ["an operation that nobody reached", { routes: 2 }],
    ["an honest batch refused", { honest: { ...GOOD.honest, not_accepted: { 503: 1 } } }],
    ["a slower service", { speed: [SPEED, { ...SPEED, rows_per_s: 50_000 }] }],
    ["slower answers", { speed: [SPEED, { ...SPEED, accept: { p50: 1, p95: 100, p99: 200 } }] }],
    ["more work for a reading", { speed: [SPEED, { ...SPEED, cpu_us: 3 }] }],
    ["memory that stays", { burden: [BURDEN, { ...BURDEN, rss_bytes: 2 ** 30 }] }],
    ["connections that stay", { burden: [BURDEN, { ...BURDEN, descriptors: 90 }] }],
    ["errors in the log", { complaints: { server_errors: 0, log_errors: 1 } }],
    ["errors that nobody waited for", { complaints: { server_errors: 1, log_errors: 0 } }],
  ])("with %s does not", (_, bad) => {
    const found = { ...GOOD, ...bad };
    expect(passed({ bounds: judgeRun(found, true) })).toBe(false);
  });

  test("beside others on the machine is judged by what a reading costs, not by the clock", () => {
    const busy = { ...GOOD, machine: { ...GOOD.machine, load_before: 9 } };
    const slower = { ...busy, speed: [SPEED, { ...SPEED, rows_per_s: 1 }] as const };
    expect(passed({ bounds: judgeRun(slower, true) })).toBe(true);
    const dearer = { ...busy, speed: [SPEED, { ...SPEED, cpu_us: 3 }] as const };
    expect(passed({ bounds: judgeRun(dearer, true) })).toBe(false);
  });

  test("that is short compares no speeds", () => {
    const slower = { ...GOOD, speed: [SPEED, { ...SPEED, rows_per_s: 1 }] as const };
    expect(passed({ bounds: judgeRun(slower, false) })).toBe(true);
  });
});

test("options: only a run of the default length is kept, and wrong ones are named", () => {
  expect(readOptions(["--seed", "7"])).toMatchObject({ seed: 7, count: 100_000, save: true });
  expect(readOptions(["--count", "5,000"])).toMatchObject({ count: 5_000, save: false, speed_runs: 1 });
  expect(readOptions(["--help"])).toBeNull();
  expect(() => readOptions(["--count", "0"])).toThrow(UsageError);
});
