import { expect, test } from "bun:test";
import { secondsUntil } from "../../../src/api/limits/request-counter.ts";

const NOW_MS = 1_768_132_800_000;

test.each([
  ["a moment", 200, 1],
  ["a second to the ms", 1_000, 1],
  ["a little more", 1_001, 2],
  ["a minute", 60_000, 60],
  ["nothing, because it has ended by now", -5, 1],
])("a client that waits until a window ends is let through: %s is left", (_, left_ms, seconds) => {
  expect(secondsUntil(new Date(NOW_MS + left_ms), NOW_MS)).toBe(seconds);
});
