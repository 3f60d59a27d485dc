import { expect, test } from "bun:test";
import { ADVISORY_LOCKS, SCRATCH_LOCK_CLASS } from "../../../src/store/advisory-locks.ts";

test("no two advisory locks share a number: either would keep the other's holder out for ever", () => {
  const numbers = [...Object.values(ADVISORY_LOCKS), SCRATCH_LOCK_CLASS];
  expect(new Set(numbers).size).toBe(numbers.length);
});
