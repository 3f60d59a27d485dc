/** ioredis must not describe commands to nobody, and must to whoever listens. */
import { expect, test } from "bun:test";
import { tracingChannel } from "node:diagnostics_channel";
import "../../src/stream/connection.ts";

test("a tracing channel says whether anybody listens", () => {
  const channel = tracingChannel("hydraulic:test");
  expect(channel.hasSubscribers).toBe(false);
  const listener = () => undefined;
  channel.asyncEnd.subscribe(listener);
  expect(channel.hasSubscribers).toBe(true);
  channel.asyncEnd.unsubscribe(listener);
  expect(channel.hasSubscribers).toBe(false);
});
