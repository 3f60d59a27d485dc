/** The lanes of webhooks: served in turns, within their bounds, filled ahead, and never with what is out of date. */
import { expect, test } from "bun:test";
import { Lanes } from "../../../src/notify/lanes.ts";
import type { DueDelivery } from "../../../src/store/webhooks/dispatch.ts";

const rows = (webhook_id: string, count: number, at_once = 2): DueDelivery[] =>
  Array.from({ length: count }, () => ({ id: crypto.randomUUID(), webhook_id, at_once }) as DueDelivery);
const webhooks = (deliveries: Iterable<DueDelivery>) => [...deliveries].map(({ webhook_id }) => webhook_id);

test("lanes are served in turns, each up to its own bound, all up to the common one", () => {
  const lanes = new Lanes({ all: 5, stale_ms: 100 });
  lanes.add([...rows("a", 10), ...rows("b", 10), ...rows("c", 10)], 0);
  const sending = [...lanes.ready()];
  expect(webhooks(sending)).toEqual(["a", "b", "c", "a", "b"]);
  expect(webhooks(lanes.ready())).toEqual([]);
  lanes.ended(sending[0]!, true);
  expect(webhooks(lanes.ready())).toEqual(["c"]);
});

test("what is in hand is not taken twice: while it waits, while it is sent, and until it is written down", () => {
  const lanes = new Lanes({ all: 5, stale_ms: 100 });
  const both = rows("a", 2, 1);
  lanes.add(both, 0);
  lanes.add(both, 0);
  expect(lanes.inHand.size).toBe(2);
  const [first] = [...lanes.ready()];
  lanes.ended(first!, true);
  expect(lanes.inHand.has(first!.id)).toBe(true);
  lanes.forget(first!.id);
  expect(lanes.inHand.has(first!.id)).toBe(false);
  expect(webhooks(lanes.ready())).toEqual(["a"]);
  expect(webhooks(lanes.ready())).toEqual([]);
});

test("after a failure the rest of the lane is let go: the webhook may be another by now", () => {
  const lanes = new Lanes({ all: 5, stale_ms: 100 });
  lanes.add([...rows("a", 5), ...rows("b", 1)], 0);
  const [a, b] = [...lanes.ready()];
  lanes.ended(a!, false);
  expect(webhooks(lanes.ready())).toEqual([]);
  lanes.forget(a!.id);
  expect(lanes.inHand.size).toBe(2);
  lanes.ended(b!, true);
  // Filled anew with one at a time, it goes on beside what is still being sent.
  lanes.add(rows("a", 3, 1), 50);
  expect(webhooks(lanes.ready())).toEqual([]);
});

test("what has waited for long is let go, and what is being sent is not", () => {
  const lanes = new Lanes({ all: 1, stale_ms: 100 });
  lanes.add(rows("a", 3), 0);
  const [first] = [...lanes.ready()];
  lanes.dropStale(100);
  expect(lanes.inHand.size).toBe(3);
  lanes.dropStale(101);
  expect([...lanes.inHand]).toEqual([first!.id]);
  lanes.ended(first!, true);
  lanes.add(rows("a", 1), 200);
  lanes.dropStale(250);
  expect(webhooks(lanes.ready())).toEqual(["a"]);
});

test("a stop lets go of everything that waits", () => {
  const lanes = new Lanes({ all: 1, stale_ms: 100 });
  lanes.add([...rows("a", 3), ...rows("b", 3)], 0);
  const [first] = [...lanes.ready()];
  lanes.clear();
  expect([...lanes.inHand]).toEqual([first!.id]);
  lanes.ended(first!, true);
  expect(webhooks(lanes.ready())).toEqual([]);
});
