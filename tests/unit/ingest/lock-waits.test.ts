/** A step that never gets its lock is told, and neither too early nor in every round. */
import { beforeEach, expect, test } from "bun:test";
import { Writable } from "node:stream";
import pg from "pg";
import { pino } from "pino";
import { LockWaits } from "../../../src/ingest/lock-waits.ts";
import { DeadlineError } from "../../../src/ops/retry.ts";

const MINUTE_MS = 60_000;
let now_ms: number;
let told: { level: number; msg: string; detail?: string }[];
let waits: LockWaits;

beforeEach(() => {
  now_ms = 5;
  told = [];
  const lines = new Writable({
    write(chunk, _, done) {
      told.push(JSON.parse(String(chunk)));
      done();
    },
  });
  waits = new LockWaits({ now_ms: () => 0, monotonic_ms: () => now_ms }, pino({ level: "warn" }, lines));
});

function refusal(code: string): pg.DatabaseError {
  const error = new pg.DatabaseError("a concurrent refresh", 0, "error");
  return Object.assign(error, { code, detail: "window" });
}
const meetLock = (what: string) => waits.tolerate(what, () => Promise.reject(refusal("55P03")));
async function meetFor(minutes: number, what: string): Promise<void> {
  for (let minute = 0; minute < minutes; minute += 1) {
    expect(await meetLock(what)).toBe(false);
    now_ms += MINUTE_MS;
  }
}

test("a lock that is not free is told after ten minutes, with what holds it, and every ten minutes", async () => {
  await meetFor(10, "refresh");
  expect(told).toEqual([]);
  await meetFor(10, "refresh");
  expect(told).toMatchObject([
    { level: 40, msg: "refresh: a lock has not been free for ten minutes", detail: "window" },
  ]);
  await meetFor(1, "refresh");
  expect(told).toHaveLength(2);
});

test("steps wait apart, and one that was done begins anew", async () => {
  await meetFor(9, "refresh");
  await meetFor(9, "retention");
  expect(told.map(({ msg }) => msg)).toEqual([]);
  expect(await waits.tolerate("refresh", () => Promise.resolve(true))).toBe(true);
  await meetFor(9, "refresh");
  expect(told).toEqual([]);
  await meetFor(1, "retention");
  expect(told.map(({ msg }) => msg)).toEqual(["retention: a lock has not been free for ten minutes"]);
});

test("whatever else goes wrong is thrown, and what is not done for another reason stays not done", async () => {
  const other = refusal("53100");
  expect(waits.tolerate("refresh", () => Promise.reject(other))).rejects.toBe(other);
  const late = new DeadlineError("refresh", 1);
  expect(waits.tolerate("refresh", () => Promise.reject(late))).rejects.toBe(late);
  expect(await waits.tolerate("refresh", () => Promise.resolve(false))).toBe(false);
});
