import { describe, expect, test } from "bun:test";
import { hashPassword, PASSWORD_HASHING, PasswordChecker } from "../../../src/api/auth/passwords.ts";
import { SlotsBusyError } from "../../../src/ops/slots.ts";
import { until } from "../../support/until.ts";

const parametersOf = (hash: string) => hash.split("$").slice(1, 4).join("$");

describe("passwords", () => {
  test("are hashed with Argon2id and the documented parameters", async () => {
    const hash = await hashPassword("correct horse");
    expect(parametersOf(hash)).toBe(
      `argon2id$v=19$m=${PASSWORD_HASHING.memoryCost},t=${PASSWORD_HASHING.timeCost},p=1`,
    );
  });

  test("match their own hash and no other", async () => {
    const checker = new PasswordChecker();
    const hash = await hashPassword("correct horse");
    expect(await checker.check("correct horse", hash)).toBe(true);
    expect(await checker.check("Correct horse", hash)).toBe(false);
  });

  test("of unknown users cost the same work: one verification with the same parameters", async () => {
    const seen: string[] = [];
    const checker = new PasswordChecker({
      verify: async (_, hash) => {
        seen.push(hash);
        return true;
      },
    });
    const hash = await hashPassword("x");
    expect(await checker.check("x", hash)).toBe(true);
    expect(await checker.check("x", null)).toBe(false);
    expect(seen.map(parametersOf)).toEqual([parametersOf(hash), parametersOf(hash)]);
    expect(await Bun.password.verify("x", seen[1]!)).toBe(false);
  });
});

/** A checker whose verifications end when told. */
function held(settings: { concurrency: number; max_waiting: number; max_wait_ms: number }) {
  const open: ((matches: boolean) => void)[] = [];
  let most = 0;
  let running = 0;
  const checker = new PasswordChecker({
    ...settings,
    verify: () => {
      running += 1;
      most = Math.max(most, running);
      return new Promise<boolean>((resolve) =>
        open.push((matches) => {
          running -= 1;
          resolve(matches);
        }),
      );
    },
  });
  return { checker, open, most: () => most };
}

describe("password checks", () => {
  test("never run more at once than allowed, and all end", async () => {
    const { checker, open, most } = held({ concurrency: 2, max_waiting: 10, max_wait_ms: 5_000 });
    const checks = Array.from({ length: 6 }, () => checker.check("x", "hash"));
    for (let ended = 0; ended < 6; ended += 1) {
      const end = await until("a check runs", () => open.shift());
      end(true);
    }
    expect(await Promise.all(checks)).toEqual(Array(6).fill(true));
    expect(most()).toBe(2);
  });

  test("are refused when too many wait already", async () => {
    const { checker, open } = held({ concurrency: 1, max_waiting: 1, max_wait_ms: 5_000 });
    const first = checker.check("x", "hash");
    const second = checker.check("x", "hash");
    await expect(checker.check("x", "hash")).rejects.toBeInstanceOf(SlotsBusyError);
    (await until("first runs", () => open.shift()))(true);
    (await until("second runs", () => open.shift()))(false);
    expect(await Promise.all([first, second])).toEqual([true, false]);
  });

  test("are refused after the longest wait, and leave the queue", async () => {
    const { checker, open } = held({ concurrency: 1, max_waiting: 1, max_wait_ms: 20 });
    const first = checker.check("x", "hash");
    await expect(checker.check("x", "hash")).rejects.toBeInstanceOf(SlotsBusyError);
    await expect(checker.check("x", "hash")).rejects.toBeInstanceOf(SlotsBusyError);
    (await until("first runs", () => open.shift()))(true);
    expect(await first).toBe(true);
    const next = checker.check("x", "hash");
    (await until("next runs", () => open.shift()))(true);
    expect(await next).toBe(true);
  });

  test("that throw free their place", async () => {
    let calls = 0;
    const checker = new PasswordChecker({
      concurrency: 1,
      verify: async () => {
        calls += 1;
        throw new TypeError("unreadable hash");
      },
    });
    await expect(checker.check("x", "?")).rejects.toBeInstanceOf(TypeError);
    await expect(checker.check("x", "?")).rejects.toBeInstanceOf(TypeError);
    expect(calls).toBe(2);
  });
});
