/** `Prefer: wait=N` is read as RFC 7240 says, and a wait that is one too many is none. */
import { expect, test } from "bun:test";
import { Hono } from "hono";
import type { AppEnv } from "../../../src/api/app-env.ts";
import { TooManyFollowersError } from "../../../src/api/job-watch.ts";
import { awaited, preferredWait_s, readWait } from "../../../src/api/wait-preference.ts";
import { loadConfig } from "../../../src/config.ts";
import { systemClock } from "../../../src/ops/clock.ts";

test.each([
  [undefined, undefined],
  ["", undefined],
  ["wait=10", 10],
  ["Wait = 10", 10],
  ['wait="10"', 10],
  ["wait=0", 0],
  ["wait=10; strict", 10],
  ["respond-async, wait=100", 100],
  ['foo; some-parameter="a, wait=3", wait=7', 7],
  ["priority=5,wait=7,handling=lenient", 7],
  ["wait=1, wait=2", 1],
  ["wait=soon, wait=2", undefined],
  ["wait", undefined],
  ["wait=-1", undefined],
  ["wait=1.5", undefined],
  ["wait=9999999999", 9_999_999_999],
  [`wait=${"9".repeat(400)}`, Number.POSITIVE_INFINITY],
  ["await=10", undefined],
  ["waiting=10", undefined],
])("%p: %p", (header, seconds) => {
  expect(preferredWait_s(header)).toBe(seconds as number);
});

/** A credential that lasts. */
const tokens = { lifeOf: () => ({ signal: new AbortController().signal, end: () => undefined }) };

test("a request for a longer wait than the service allows gets the longest one, and is told so", async () => {
  const waits_ms: number[] = [];
  const ended = async (_: string, wait_ms: number) => {
    waits_ms.push(wait_ms);
    return null;
  };
  const app = new Hono<AppEnv>().post("/", readWait({ config: loadConfig({}) }), async (c) =>
    c.json(await awaited({ jobWatch: { ended }, clock: systemClock, tokens }, c, "job")),
  );
  const headers = { Prefer: `wait=${"9".repeat(400)}` };
  const response = await app.request("/", { method: "POST", headers }, {});
  expect(waits_ms).toEqual([30_000]);
  expect(response.headers.get("Preference-Applied")).toBe("wait=30");
});

test("when too many wait already, the request is answered at once and told that it was not waited for", async () => {
  const jobWatch = { ended: () => Promise.reject(new TooManyFollowersError()) };
  const app = new Hono<AppEnv>().post("/", readWait({ config: loadConfig({}) }), async (c) =>
    c.json(await awaited({ jobWatch, clock: systemClock, tokens }, c, "job")),
  );
  const response = await app.request("/", { method: "POST", headers: { Prefer: "wait=10" } }, {});
  expect(response.headers.get("Preference-Applied")).toBeNull();
  expect(await response.json()).toBeNull();
});
