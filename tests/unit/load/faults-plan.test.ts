/** What `bun run faults` does and sends follows from its seed, and its options are refused when they are wrong. */
import { describe, expect, test } from "bun:test";
import { UsageError } from "../../../load/command-line.ts";
import { batchOf, FORMATS, SYSTEM_ID, WINDOW_MS } from "../../../load/faults/batches.ts";
import { KIND_NAMES, KINDS, type Kind } from "../../../load/faults/kinds.ts";
import { readOptions } from "../../../load/faults/options.ts";
import { LANES, originOf, PACE } from "../../../load/faults/producers.ts";
import { asSent, requestOf } from "../../../load/faults/requests.ts";
import { exclude, scheduleOf } from "../../../load/faults/schedule.ts";
import { ReadingColumns } from "../../../src/contract/columns.ts";
import type { Refusal } from "../../../src/contract/refusal.ts";
import { checkReadings } from "../../../src/contract/rules.ts";
import { createUnitRegistry } from "../../../src/contract/units.ts";

const DAY_MS = Date.UTC(2026, 10, 27);
const shape = { seed: 7, origin_ms: originOf(DAY_MS, 1_000) };

describe("the schedule", () => {
  const rounds = scheduleOf(7, 1_000);

  test("is the same for the same seed and another for another one", () => {
    expect(scheduleOf(7, 1_000)).toEqual(rounds);
    expect(scheduleOf(8, 1_000)).not.toEqual(rounds);
    expect(rounds.flat().map(({ number }) => number)).toEqual(Array.from({ length: 1_000 }, (_, i) => i + 1));
  });

  test("has every kind, about as often as its weight says, on every target", () => {
    const weights = KIND_NAMES.reduce((sum, name) => sum + KINDS[name].weight, 0);
    for (const name of KIND_NAMES) {
      const kind: Kind = KINDS[name];
      const those = rounds.flat().filter((fault) => fault.kind === name);
      const share = (those.length / 1_000) * (weights / kind.weight);
      expect({ name, often: share > 0.6 && share < 1.4 }).toEqual({ name, often: true });
      if (those.length >= 10 * kind.targets.length)
        expect(new Set(those.map(({ target }) => target)).size).toBe(kind.targets.length);
      for (const { hold_ms } of those) {
        expect(hold_ms).toBeGreaterThanOrEqual(kind.hold_ms[0]);
        expect(hold_ms).toBeLessThanOrEqual(kind.hold_ms[1]);
      }
    }
  });

  test("overlaps faults of different parts, and never two of which one takes what the other needs", () => {
    expect(rounds.filter((round) => round.length > 1).length).toBeGreaterThan(rounds.length / 2);
    for (const round of rounds)
      for (const [i, one] of round.entries())
        for (const other of round.slice(i + 1)) expect(exclude(one, other)).toBe(false);
    const place = (kind: keyof typeof KINDS, target: string) => ({ kind, target });
    expect(exclude(place("kill-api", "api-1"), place("cut-link", "api-1>redis"))).toBe(true);
    expect(exclude(place("redis-disk", "redis"), place("kill-redis", "redis"))).toBe(true);
    expect(exclude(place("kill-api", "api-1"), place("kill-postgres", "postgres"))).toBe(false);
  });
});

describe("batches", () => {
  const all = Array.from({ length: 400 }, (_, i) => batchOf(shape, i % LANES, Math.floor(i / LANES)));

  test("are the same for the same seed, in every format, compressed and not, with and without key", () => {
    for (const batch of all.slice(0, 20)) expect(batchOf(shape, batch.lane, batch.n)).toEqual(batch);
    expect(new Set(all.map(({ format }) => format))).toEqual(new Set(FORMATS));
    for (const is of [(b: (typeof all)[0]) => b.gzip, (b: (typeof all)[0]) => b.key !== null]) {
      expect(all.some(is)).toBe(true);
      expect(all.every(is)).toBe(false);
    }
    expect(all.some(({ system_id }) => system_id !== SYSTEM_ID)).toBe(true);
    expect(batchOf({ ...shape, seed: 8 }, 0, 0)).not.toEqual(all[0]);
  });

  test("are judged by the service's rules as the oracle expects it", () => {
    const settings = { units: createUnitRegistry(), maxFuture_ms: 300_000, maxPast_years: 5 };
    const verdicts = new Set<string>();
    for (const batch of all) {
      const json = { ...batch, format: "json" as const };
      const refusals: Refusal[] = [];
      const readings = batch.readings.map((reading) => asSent(shape, json, reading));
      checkReadings(readings, 0, DAY_MS, settings, new ReadingColumns(readings.length), refusals);
      const reasons = new Map(refusals.map(({ ordinal, reason }) => [ordinal, reason as string]));
      for (const [ordinal, { verdict }] of batch.readings.entries()) {
        verdicts.add(verdict);
        expect(reasons.get(ordinal) ?? "good").toBe(verdict);
      }
    }
    expect([...verdicts].sort()).toEqual([
      "good",
      "invalid_timestamp",
      "invalid_unit",
      "out_of_range",
      "parse_error",
    ]);
  });

  test("of a lane stay within their windows, and a whole run before its day", () => {
    for (const { n, readings } of all)
      for (const { at_ms, verdict } of readings)
        if (verdict === "good") expect(at_ms).toBeLessThan(shape.origin_ms + (n + 1) * WINDOW_MS);
    // A thousand faults at the pace of the slowest run that is accepted.
    expect(originOf(DAY_MS, 1_000) + 35 * 60 * PACE * WINDOW_MS).toBeLessThan(DAY_MS);
  });

  test("become requests with their key and coding", () => {
    const batch = all.find((one) => one.key !== null && one.gzip)!;
    const head = requestOf(shape, batch, "token").toString("latin1").split("\r\n\r\n")[0]!;
    expect(head).toContain(`Idempotency-Key: ${batch.key}`);
    expect(head).toContain("Content-Encoding: gzip");
    expect(requestOf(shape, batch, "token", false).toString("latin1")).not.toContain("Idempotency-Key");
  });
});

describe("options", () => {
  const read = (args: string[], env = {}) => readOptions(args, env, DAY_MS + 5_000);

  test("have defaults, and a run of 1,000 faults is saved", () => {
    expect(read(["--seed", "7"])).toMatchObject({
      seed: 7,
      count: 200,
      day_ms: DAY_MS,
      save: false,
      list: false,
    });
    expect(read(["--count", "1000"])).toMatchObject({ save: true });
    expect(read(["--count", "1000", "--no-save"])).toMatchObject({ save: false });
    expect(read([])!.seed).toBeGreaterThan(0);
    expect(read(["--help"])).toBeNull();
  });

  test.each([
    [["--seed", "x"], {}, /--seed is a whole number/],
    [["--count", "0"], {}, /--count is a whole number/],
    [["--day", "yesterday"], {}, /--day is a date/],
    [["--fault", "x"], {}, /Unknown option/],
    [["--save", "--no-save"], {}, /not both/],
    [[], { DATABASE_URL: "postgres://somebody/else" }, /DATABASE_URL is set, and this command kills/],
    [[], { REDIS_URL: "redis://somebody" }, /REDIS_URL is set/],
  ])("%p are refused with %p", (args, env, message) => {
    expect(() => read(args, env)).toThrow(UsageError);
    expect(() => read(args, env)).toThrow(message);
  });
});
