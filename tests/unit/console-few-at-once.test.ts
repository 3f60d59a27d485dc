/** Work of the console that goes on a few at a time. */
import { describe, expect, test } from "bun:test";
import { fewAtOnce } from "../../src/console/client/lib/few-at-once.ts";

describe("a few at a time", () => {
  test("never more than that; what came of each stands where its item stood, whichever was ready first", async () => {
    const waiting: ((value: number) => void)[] = [];
    const begun: number[] = [];
    const all = fewAtOnce([0, 1, 2, 3], 2, (item) => {
      begun.push(item);
      return new Promise<number>((resolve) => waiting.push(resolve));
    });
    expect(begun).toEqual([0, 1]);
    waiting[1]?.(11);
    await Bun.sleep(0);
    expect(begun).toEqual([0, 1, 2]);
    waiting[2]?.(12);
    await Bun.sleep(0);
    expect(begun).toEqual([0, 1, 2, 3]);
    waiting[3]?.(13);
    waiting[0]?.(10);
    expect(await all).toEqual([10, 11, 12, 13]);
  });

  test("after a failure no more are begun, and it is told", async () => {
    const begun: number[] = [];
    const fail: ((error: Error) => void)[] = [];
    const done: (() => void)[] = [];
    const all = fewAtOnce([0, 1, 2, 3], 2, (item) => {
      begun.push(item);
      return new Promise<void>((resolve, reject) => {
        done.push(resolve);
        fail.push(reject);
      });
    });
    fail[0]?.(new Error("refused"));
    expect(all).rejects.toThrow("refused");
    await Bun.sleep(0);
    done[1]?.();
    await Bun.sleep(0);
    expect(begun).toEqual([0, 1]);
  });

  test("of nothing comes nothing", async () => {
    expect(await fewAtOnce([], 2, () => Promise.reject(new Error("asked")))).toEqual([]);
  });
});
