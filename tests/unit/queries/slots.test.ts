/** Slots of the query pool: bounded, in turn, never lost. */
import { describe, expect, test } from "bun:test";
import { QueryAbortedError, QueryBusyError } from "../../../src/store/queries/query-errors.ts";
import { QuerySlots } from "../../../src/store/queries/slots.ts";

const WAIT_MS = 10_000;
const open = (slots: number, line: number, wait_ms = WAIT_MS) => new QuerySlots({ slots, line, wait_ms });

describe("query slots", () => {
  test("are taken up to their number, then in turn", async () => {
    const slots = open(2, 3);
    const [first, second] = [await slots.take(), await slots.take()];
    const order: number[] = [];
    const waiting = [1, 2, 3].map(async (n) => {
      const release = await slots.take();
      order.push(n);
      release();
    });
    expect([slots.taken, slots.waiting]).toEqual([2, 3]);
    await expect(slots.take()).rejects.toBeInstanceOf(QueryBusyError);
    first();
    await Promise.all(waiting);
    expect(order).toEqual([1, 2, 3]);
    second();
    expect([slots.taken, slots.waiting]).toEqual([0, 0]);
  });

  test("are given back once, however often that is said", async () => {
    const slots = open(1, 1);
    const release = await slots.take();
    release();
    release();
    const again = await slots.take();
    expect(slots.taken).toBe(1);
    const next = slots.take();
    release();
    expect(slots.waiting).toBe(1);
    again();
    (await next)();
    expect(slots.taken).toBe(0);
  });

  test("are not waited for longer than told", async () => {
    const slots = open(1, 1, 20);
    const release = await slots.take();
    await expect(slots.take()).rejects.toBeInstanceOf(QueryBusyError);
    expect(slots.waiting).toBe(0);
    release();
    expect(slots.taken).toBe(0);
  });

  test("are not waited for by one who went away", async () => {
    const slots = open(1, 1);
    const release = await slots.take();
    const patience = new AbortController();
    const waiting = slots.take(patience.signal);
    patience.abort();
    await expect(waiting).rejects.toBeInstanceOf(QueryAbortedError);
    await expect(slots.take(patience.signal)).rejects.toBeInstanceOf(QueryAbortedError);
    release();
    expect([slots.taken, slots.waiting]).toEqual([0, 0]);
  });
});
