/** Compressed bodies take turns, so that those that arrive at once do not stand decompressed in memory at once. */
import { expect, test } from "bun:test";
import { gzipSync } from "node:zlib";
import { Hono } from "hono";
import type { AppEnv } from "../../../src/api/app-env.ts";
import { BodyMemory } from "../../../src/api/body/body-memory.ts";
import { receiveBody } from "../../../src/api/body/receive-body.ts";
import { asProblem, problemResponse } from "../../../src/api/problem-error.ts";
import { Slots } from "../../../src/ops/slots.ts";

const BOUNDS = { max_bytes: 100_000, timeout_ms: 60_000 };

/** Takes bodies in; `held` are the bytes that each of them holds when it is there. */
function receiver(turns: Slots) {
  const memory = new BodyMemory(1_000_000);
  const app = new Hono<AppEnv>().post("/", async (c) => {
    const hold = memory.open();
    const body = await receiveBody(c, BOUNDS, hold, turns);
    const held = memory.held_bytes;
    hold.release();
    return c.json({ size: body.byteLength, held });
  });
  app.onError((error, c) => problemResponse(c, asProblem(error)));
  const post = async (body: Uint8Array, headers: Record<string, string> = {}) =>
    app.request("/", {
      method: "POST",
      headers: { "Content-Length": String(body.length), ...headers },
      body,
    });
  return { post, gzip: () => post(gzipSync("x".repeat(50_000)), { "Content-Encoding": "gzip" }) };
}

const problemOf = async (response: Response) => ((await response.json()) as { type: string }).type;

/** Takes all slots until it is told to end. */
function occupy(turns: Slots): () => void {
  const work = Promise.withResolvers<void>();
  void turns.run(() => work.promise);
  return work.resolve;
}

test("a compressed body waits for its turn, a plain one does not, and both are counted in full", async () => {
  const turns = new Slots({ what: "bodies", slots: 1, line: 5, wait_ms: 60_000 });
  const { post, gzip } = receiver(turns);
  const free = occupy(turns);
  let arrived = false;
  const waiting = gzip().finally(() => {
    arrived = true;
  });
  expect(await (await post(Buffer.from("plain"))).json()).toMatchObject({ size: 5 });
  expect(arrived).toBe(false);
  free();
  const { size, held } = (await (await waiting).json()) as { size: number; held: number };
  expect([size, held]).toEqual([50_000, 50_000 + gzipSync("x".repeat(50_000)).length]);
});

test("when too many wait already it is refused and may come again soon; a body that is no good gives its turn back", async () => {
  const turns = new Slots({ what: "bodies", slots: 1, line: 0, wait_ms: 60_000 });
  const { post, gzip } = receiver(turns);
  const free = occupy(turns);
  const refused = await gzip();
  expect(await problemOf(refused)).toBe("/problems/server-busy");
  expect(refused.headers.get("Retry-After")).toBe("1");
  free();
  const bad = await post(Buffer.from("no gzip"), { "Content-Encoding": "gzip" });
  expect(await problemOf(bad)).toBe("/problems/malformed-encoding");
  expect((await gzip()).status).toBe(200);
});
