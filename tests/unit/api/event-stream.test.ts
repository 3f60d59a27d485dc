/** A stream of events shows signs of life, gives up on its source when it ends, and never stands in the way. */
import { expect, test } from "bun:test";
import { Hono } from "hono";
import type { AppEnv } from "../../../src/api/app-env.ts";
import type { Claims } from "../../../src/api/auth/claims.ts";
import { Lives } from "../../../src/api/auth/lives.ts";
import { eventStream, Newest, type StreamPiece } from "../../../src/api/event-stream.ts";
import { Places } from "../../../src/api/limits/places.ts";
import { asProblem, problemResponse } from "../../../src/api/problem-error.ts";
import { sseParts } from "../../support/sse.ts";
import { until } from "../../support/until.ts";

/** A stream of what `next` gives, for a token that lives for `life_s`. @param holds whether it is one now */
function scene(
  next: (end: AbortSignal) => Promise<StreamPiece | null>,
  life_s = 60,
  holds: () => boolean = () => true,
) {
  const closing = new AbortController();
  const lives = new Lives({ listen: () => () => undefined }, holds);
  let left = 0;
  const places = new Places({ what: "event streams", all: 3, of_one_user: 2 });
  const app = new Hono<AppEnv>().get("/", (c) => {
    c.set("claims", { sub: c.req.query("user") ?? "ada" } as Claims);
    const leave = () => {
      left += 1;
    };
    const tokens = { lifeOf: () => lives.begin(c.get("claims"), life_s * 1_000) };
    return eventStream(
      c,
      {
        tokens,
        streams: places,
        stop: { wanted: closing.signal, closing: closing.signal, hurry: closing.signal },
      },
      { next, leave },
    );
  });
  app.onError((error, c) => problemResponse(c, asProblem(error)));
  const response = (method = "GET", user = "ada") => app.request(`/?user=${user}`, { method });
  return { closing, places, left: () => left, response };
}

test("a value that does not come in time is a sign of life, and comes all the same", async () => {
  const newest = new Newest<string>();
  const { response, left } = scene(async (end) => {
    const value = await newest.take(end, 5);
    if (value === "end") return null;
    return value === undefined ? { comment: "alive" } : { event: "e", id: "1", data: value };
  });
  const stream = await response();
  expect(stream.headers.get("X-Accel-Buffering")).toBe("no");
  const parts: string[] = [];
  const ended = (async () => {
    for await (const part of sseParts(stream)) parts.push(part);
  })();
  await until("signs of life", () => parts.length > 1);
  newest.put("old");
  newest.put("new");
  await until("the value", () => parts.some((part) => part !== ": alive"));
  newest.put("end");
  await ended;
  expect(parts.filter((part) => part !== ": alive")).toEqual(["event: e\ndata: new\nid: 1\nretry: 2000"]);
  expect(left()).toBe(1);
});

test("it ends when the server is about to stop and when the token is over, though nothing comes", async () => {
  const newest = new Newest<string>();
  const waiting = async (end: AbortSignal) => {
    await newest.take(end);
    return { comment: "" };
  };
  const stopped = scene(waiting);
  const text = (await stopped.response()).text();
  stopped.closing.abort();
  expect(await text).toBe("");
  expect(await (await scene(waiting, 0.01).response()).text()).toBe("");
  expect(stopped.left()).toBe(1);
});

test("a client that takes nothing does not hold it open", async () => {
  const endless = scene(async () => ({ comment: "x".repeat(65_536) }));
  const reader = (await endless.response()).body!.getReader();
  await reader.read();
  endless.closing.abort();
  await until("it has left", () => endless.left() === 1);
  await reader.cancel();
});

test("one whose credential has ended since it was looked at is over before it begins", async () => {
  const endless = scene(
    async () => ({ comment: "x" }),
    60,
    () => false,
  );
  expect(await (await endless.response()).text()).toBe("");
  expect(endless.left()).toBe(1);
});

test("the head alone holds nothing: nobody reads the body, so nobody would end it", async () => {
  const endless = scene(async () => ({ comment: "x" }));
  const response = await endless.response("HEAD");
  expect(response.status).toBe(200);
  expect(response.headers.get("Content-Type")).toBe("text/event-stream");
  expect(endless.left()).toBe(1);
});

test("it needs a place of its user and one of all, and gives both back however it ends", async () => {
  const { response, places, left, closing } = scene(async (end) => {
    await new Promise<void>((resolve) => end.addEventListener("abort", () => resolve(), { once: true }));
    return null;
  });
  expect((await response("HEAD")).status).toBe(200);
  const open = [await response(), await response()];
  const refused = await response();
  expect(refused.status).toBe(429);
  expect(refused.headers.get("Retry-After")).toBe("10");
  expect(await refused.json()).toMatchObject({
    type: "/problems/too-many-at-once",
    detail: "You have 2 event streams open, which is as many as a user may have.",
  });
  // The source had begun.
  expect(left()).toBe(2);
  open.push(await response("GET", "bob"));
  const full = await response("GET", "eve");
  expect(full.status).toBe(503);
  expect(await full.json()).toMatchObject({ type: "/problems/server-busy" });
  await open[0]?.body?.cancel();
  await until("a place is free", () => places.taken === 2);
  expect((await response("GET", "ada")).status).toBe(200);
  closing.abort();
  await until("all places are free", () => places.taken === 0);
});
