import { describe, expect, test } from "bun:test";
import {
  Backoff,
  DeadlineError,
  joinSignals,
  sleep,
  unlessAborted,
  withDeadline,
} from "../../../src/ops/retry.ts";

const never = new Promise<never>(() => undefined);

describe("withDeadline", () => {
  test("passes the outcome on", async () => {
    expect(await withDeadline(Promise.resolve(5), 1_000, "x")).toBe(5);
    const mine = new Error("mine");
    expect(await withDeadline(Promise.reject(mine), 1_000, "x").catch((error: unknown) => error)).toBe(mine);
  });
  test("rejects by class, naming what was waited for", async () => {
    const error = await withDeadline(never, 5, "the tide").catch((e: unknown) => e);
    expect(error).toBeInstanceOf(DeadlineError);
    expect((error as Error).message).toBe("the tide did not finish within 5 ms");
  });
});

describe("unlessAborted", () => {
  test("passes the outcome on while nothing is aborted, and forgets the signal", async () => {
    const { signal } = new AbortController();
    let listeners = 0;
    const [add, remove] = [signal.addEventListener.bind(signal), signal.removeEventListener.bind(signal)];
    signal.addEventListener = ((...args: Parameters<typeof add>) => {
      listeners += 1;
      add(...args);
    }) as typeof add;
    signal.removeEventListener = ((...args: Parameters<typeof remove>) => {
      listeners -= 1;
      remove(...args);
    }) as typeof remove;
    expect(await unlessAborted(Promise.resolve(1), signal)).toBe(1);
    const mine = new Error("mine");
    expect(await unlessAborted(Promise.reject(mine), signal).catch((e: unknown) => e)).toBe(mine);
    await Promise.resolve();
    expect(listeners).toBe(0);
  });
  test("leaves at once when aborted, before or during the work, whatever becomes of it", async () => {
    const controller = new AbortController();
    const left = unlessAborted(never, controller.signal);
    controller.abort();
    expect(await left).toBeUndefined();
    expect(await unlessAborted(Promise.reject(new Error("unheard")), controller.signal)).toBeUndefined();
  });
});

describe("sleep", () => {
  test("ends at once when the signal fires or has fired, and never rejects", async () => {
    const controller = new AbortController();
    const asleep = sleep(60_000, controller.signal);
    controller.abort();
    await asleep;
    await sleep(60_000, controller.signal);
  });
});

describe("Backoff", () => {
  test("doubles up to its bound, with jitter between half and whole, and begins anew after a reset", () => {
    for (const [random, share] of [
      [0, 0.5],
      [1, 1],
    ] as const) {
      const backoff = new Backoff(100, 1_000, () => random);
      const steps = Array.from({ length: 6 }, () => backoff.next_ms());
      expect(steps).toEqual([100, 200, 400, 800, 1_000, 1_000].map((step) => step * share));
      backoff.reset();
      expect(backoff.next_ms()).toBe(100 * share);
    }
  });
});

describe("joined signals", () => {
  test("fire with the first of them, or when the time is over, and say which", async () => {
    const [one, other] = [new AbortController(), new AbortController()];
    const joined = joinSignals([one.signal, other.signal], 10_000);
    expect(joined.signal.aborted).toBe(false);
    other.abort();
    expect(joined.signal.aborted).toBe(true);
    expect(joined.isLate).toBe(false);
    joined.release();
    const late = joinSignals([one.signal], 1);
    await new Promise((resolve) => late.signal.addEventListener("abort", resolve));
    expect(late.isLate).toBe(true);
    expect(joinSignals([other.signal], 10_000).signal.aborted).toBe(true);
  });

  test("leave nothing behind once they are released", async () => {
    const long = new AbortController();
    const joined = joinSignals([long.signal], 1);
    joined.release();
    long.abort();
    await Bun.sleep(5);
    expect(joined.signal.aborted).toBe(false);
  });
});
