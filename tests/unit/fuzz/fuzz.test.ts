/**
 * Every parser against changed samples, from a fixed seed. `FUZZ_RUNS=200000 npm test -- tests/unit/fuzz` looks longer,
 * `FUZZ_SEED=2` elsewhere. An input that breaks a property is kept below .data/fuzz, and belongs into the corpus once
 * its cause is mended.
 */
import { describe, expect, test } from "bun:test";
import { FUZZ, fuzz } from "../../support/fuzz/fuzzer.ts";
import { TARGETS } from "../../support/fuzz/targets.ts";

/** Milliseconds for each input, far more than any takes, and for the start. */
const deadline_ms = 10_000 + FUZZ.runs * 20;

describe("whatever it is given, and as it says, is", () => {
  test.each(TARGETS.map((target) => [target.name, target] as const))(
    "%s",
    async (_, target) => {
      const { signatures } = await fuzz(target);
      // With one of them nothing would have been found out.
      expect(signatures).toBeGreaterThan(1);
    },
    deadline_ms,
  );
});
