/** A correction never throws, whatever was refused: reviewers correct what nobody could read. */
import { expect, test } from "bun:test";
import { corrected } from "../../../src/contract/correction.ts";

const DAY_MS = 86_400_000;

test.each([
  ["2026-01-01T00:00:00Z", DAY_MS, "2026-01-02T00:00:00Z"],
  ["2026-01-01T00:00:00Z", -0.5, "2025-12-31T23:59:59.999500Z"],
  // Beyond what four digits of a year can name: it stays, and the rules refuse it again.
  ["9999-12-31T23:00:00Z", DAY_MS, "9999-12-31T23:00:00Z"],
  ["0000-01-01T00:00:00Z", -1, "0000-01-01T00:00:00Z"],
  ["9999-12-31T23:59:59.999999Z", 1, "9999-12-31T23:59:59.999999Z"],
  ["yesterday", DAY_MS, "yesterday"],
])("the clock of %s, set by %d ms, says %s", (timestamp, shift_ms, expected) => {
  expect(corrected({ timestamp }, { shift_ms })).toEqual({ timestamp: expected });
});
