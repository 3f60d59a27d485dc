/** Budgets of a minute on real Redis: never exceeded, whoever counts, and asked for seldom where they are large. */
import { describe, expect, test } from "bun:test";
import { systemClock } from "../../../src/ops/clock.ts";
import { Allowances } from "../../../src/stream/allowance.ts";
import type { ScriptedRedis } from "../../../src/stream/scripts.ts";
import { useStreamRedis } from "../../support/stream-redis.ts";
import { until } from "../../support/until.ts";

const USER = "550e8400-e29b-41d4-a716-44665544ffff";

let redis: ScriptedRedis;
useStreamRedis((own) => {
  redis = own;
});

describe("budgets", () => {
  const key = `limit:readings:${USER}`;
  /** As of an API process of its own. */
  const newProcess = () => new Allowances(redis, systemClock);
  const take = (process: Allowances, cost: number, limit: number) =>
    process.take("readings", USER, cost, limit);

  test("count up to the limit, refuse what does not fit without counting it, and begin anew after the window", async () => {
    const process = newProcess();
    expect(await take(process, 60, 100)).toMatchObject({ allowed: true, remaining: 40, limit: 100 });
    const refused = await take(process, 41, 100);
    expect(refused).toMatchObject({ allowed: false, remaining: 40 });
    expect(refused.reset_s).toBeWithin(1, 61);
    expect(await take(process, 40, 100)).toMatchObject({ allowed: true, remaining: 0 });
    expect(await process.take("requests", USER, 100, 100)).toMatchObject({ allowed: true, remaining: 0 });
    expect(await process.take("readings", "other", 1, 100)).toMatchObject({ allowed: true, remaining: 99 });
    await redis.pexpire(key, 1);
    await until("the window's end", async () => (await redis.exists(key)) === 0);
    expect(await take(process, 100, 100)).toMatchObject({ allowed: true, remaining: 0 });
  });

  test("are shared exactly by those who take at once", async () => {
    const process = newProcess();
    const taken = await Promise.all(Array.from({ length: 50 }, () => take(process, 3, 100)));
    expect(taken.filter(({ allowed }) => allowed)).toHaveLength(33);
  });

  test("hold numbers beyond 32 bits", async () => {
    const process = newProcess();
    await take(process, 999_999_999_999, 1_000_000_000_000);
    expect(await take(process, 1, 1_000_000_000_000)).toMatchObject({ allowed: true, remaining: 0 });
    expect((await take(process, 1, 1_000_000_000_000)).allowed).toBe(false);
  });

  test("of thousands are leased a thousandth at a time: the same answers, few questions, never more than the limit", async () => {
    const limit = 10_000;
    const [one, two] = [newProcess(), newProcess()];
    const first = await take(one, 1, limit);
    expect(first).toMatchObject({ allowed: true, remaining: limit - 1 });
    expect(await redis.get(key)).toBe("10");
    const rest = await Promise.all(Array.from({ length: 9 }, () => take(one, 1, limit)));
    expect(rest.map(({ remaining }) => remaining)).toEqual(
      Array.from({ length: 9 }, (_, i) => limit - 2 - i),
    );
    expect(await redis.get(key)).toBe("10");
    expect(await take(two, 9, limit)).toMatchObject({ allowed: true, remaining: limit - 19 });
    let allowed = 19;
    for (let both = true; both; ) {
      const answers = await Promise.all(
        [one, two].flatMap((p) => Array.from({ length: 50 }, () => take(p, 1, limit))),
      );
      allowed += answers.filter((answer) => answer.allowed).length;
      both = answers.some((answer) => answer.allowed);
    }
    expect(allowed).toBeWithin(limit - 2 * 10, limit + 1);
    expect(await redis.get(key)).toBe(String(limit));
  });

  test("no batch size loses what is left of a lease: nearly all of a budget can be used", async () => {
    for (const [limit, cost] of [
      [10_000, 6],
      [150_000, 76],
      [150_000, 100],
    ] as const) {
      const process = newProcess();
      let taken = 0;
      while ((await process.take("readings", `${limit}/${cost}`, cost, limit)).allowed) taken += cost;
      expect(taken).toBeWithin(limit * 0.998 - cost, limit + 1);
    }
  });

  test("more owners than leases are kept for are counted one by one", async () => {
    let asked = 0;
    const granting = {
      hiAllow: async (_: string, _cost: number, want: number) => {
        asked += want;
        return [want, want, 60_000];
      },
    };
    const process = new Allowances(granting as unknown as ScriptedRedis, systemClock);
    for (let n = 0; n < 10_050; n += 1) await process.take("readings", `owner-${n}`, 1, 10_000);
    expect(asked).toBe(10_000 * 10 + 50);
  });

  test("a lease ends with its window, and is not spent on another limit", async () => {
    let now_ms = 0;
    const process = new Allowances(redis, { monotonic_ms: () => now_ms });
    await take(process, 1, 10_000);
    await take(process, 1, 20_000);
    expect(await redis.get(key)).toBe("30");
    now_ms += 60_000;
    await take(process, 1, 20_000);
    expect(await redis.get(key)).toBe("50");
    expect(await take(process, 1, 20_000)).toMatchObject({ allowed: true, remaining: 20_000 - 32 });
  });

  test("what was taken in vain is put back, counted or leased, and only into its own window", async () => {
    const process = newProcess();
    const taken = await take(process, 60, 100);
    expect(await process.giveBack("readings", USER, 60, taken)).toMatchObject({ remaining: 100 });
    expect(await take(process, 100, 100)).toMatchObject({ allowed: true, remaining: 0 });
    await redis.pexpire(key, 1);
    await until("the window's end", async () => (await redis.exists(key)) === 0);
    const next = await take(process, 90, 100);
    // The first window's: by what its process knows it has some time left, and yet it has ended.
    await process.giveBack("readings", USER, 60, { ...taken, ends_ms: systemClock.monotonic_ms() + 5_000 });
    expect(await redis.get(key)).toBe("90");
    await process.giveBack("readings", USER, 90, { ...next, ends_ms: systemClock.monotonic_ms() - 1 });
    expect(await redis.get(key)).toBe("90");

    const leased = await process.take("readings", "leased", 4, 10_000);
    expect(await redis.get("limit:readings:leased")).toBe("10");
    await process.giveBack("readings", "leased", 4, leased);
    expect(await redis.get("limit:readings:leased")).toBe("10");
    for (let n = 0; n < 10; n += 1) await process.take("readings", "leased", 1, 10_000);
    expect(await redis.get("limit:readings:leased")).toBe("10");
  });

  test("an error reaches everybody who waited, and the next one asks again", async () => {
    const failing = { hiAllow: () => Promise.reject(new Error("Connection is closed.")) };
    const process = new Allowances(failing as unknown as ScriptedRedis, systemClock);
    const taken = await Promise.allSettled(Array.from({ length: 3 }, () => take(process, 1, 10_000)));
    expect(taken.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
    Object.assign(failing, { hiAllow: () => Promise.resolve([10, 10, 60_000]) });
    expect((await take(process, 1, 10_000)).allowed).toBe(true);
  });
});
