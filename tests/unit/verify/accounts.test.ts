/** Books against table: slots of time, jobs that reach over several, what cannot be known, and chunks too large to count. */
import { describe, expect, test } from "bun:test";
import pg from "pg";
import { type Inserted, StoredCount } from "../../../src/store/inspect/accounts.ts";
import type { Snapshot } from "../../../src/store/inspect/snapshot.ts";
import { type Books, reckon } from "../../../src/verify/accounts/reckoning.ts";
import { type SlotKind, slotsOf } from "../../../src/verify/accounts/slots.ts";

const HOUR = 3_600_000;

describe("slots", () => {
  const chunks = [
    { from_ms: 10 * HOUR, to_ms: 20 * HOUR },
    { from_ms: 20 * HOUR, to_ms: 30 * HOUR },
    { from_ms: 50 * HOUR, to_ms: 60 * HOUR },
  ];
  const kinds = (keep: number, since: number | null = null) =>
    slotsOf(chunks, keep * HOUR, since === null ? null : since * HOUR).slots.map(({ kind }) => kind);

  test("each chunk and each gap is one; what is older than retention is gone, and an hour more", () => {
    expect(kinds(0)).toEqual(["gone", "empty", "kept", "kept", "empty", "kept", "empty"]);
    // The limit lies within the second chunk: a chunk goes as a whole.
    expect(kinds(25)).toEqual(["gone", "gone", "kept", "empty", "kept", "empty"]);
    expect(kinds(29.5)).toEqual(["gone", "gone", "gone", "gone", "empty", "kept", "empty"]);
    // Within a gap it divides the gap.
    expect(kinds(40)).toEqual(["gone", "gone", "gone", "gone", "empty", "kept", "empty"]);
  });

  test("what begins before the time to compare from is left out, a chunk as a whole", () => {
    expect(kinds(0, 20)).toEqual(["gone", "gone", "gone", "kept", "empty", "kept", "empty"]);
    expect(kinds(0, 21)).toEqual(["gone", "gone", "gone", "gone", "empty", "kept", "empty"]);
  });

  test("without chunks there is one cut, which PostgreSQL needs", () => {
    expect(slotsOf([], 0, null)).toMatchObject({
      cuts_ms: [HOUR],
      slots: [{ kind: "gone" }, { kind: "empty" }],
    });
  });
});

describe("reckoning", () => {
  const job = (from_slot: number, to_slot: number, readings: number, system_id = "a"): Inserted => ({
    ...{ system_id, from_slot, to_slot, readings },
    jobs: 1,
  });
  const at = (slot: number, readings: number, system_id = "a") => ({ system_id, slot, readings });
  const of = (kinds: readonly SlotKind[], books: Partial<Books>) =>
    reckon({ kinds, inserted: [], removed: [], stored: [], uncounted: new Set(), ...books });
  const KEPT = ["gone", "kept", "kept", "kept", "empty"] as const;

  test("slots are compared one by one, where no job reaches over several", () => {
    const inserted = [job(1, 1, 10), job(1, 1, 5), job(2, 2, 7)];
    expect(of(KEPT, { inserted, stored: [at(1, 14), at(2, 7)], removed: [at(1, 1)] })).toMatchObject({
      ...{ differences: [], expected: 21, stored: 21, uncertain: 0 },
    });
    expect(of(KEPT, { inserted, stored: [at(1, 14), at(2, 8)] }).differences).toEqual([
      { system_id: "a", from_slot: 1, to_slot: 1, stored: 14, least: 15, most: 15, jobs: 2 },
      { system_id: "a", from_slot: 2, to_slot: 2, stored: 8, least: 7, most: 7, jobs: 1 },
    ]);
  });

  test("slots that a job stored in are taken together, also by way of others", () => {
    const inserted = [job(1, 2, 10), job(2, 3, 10), job(1, 1, 1)];
    const stored = [at(1, 4), at(2, 9), at(3, 8)];
    expect(of(KEPT, { inserted, stored })).toMatchObject({ differences: [], expected: 21 });
    expect(of(KEPT, { inserted, stored: stored.slice(1) }).differences).toMatchObject([
      { from_slot: 1, to_slot: 3, stored: 17, least: 21, most: 21, jobs: 3 },
    ]);
  });

  test("a job that stored on both sides of what is gone leaves between nothing and all of it", () => {
    const inserted = [job(0, 1, 10), job(1, 1, 5), job(0, 0, 100)];
    for (const stored of [5, 9, 15])
      expect(of(KEPT, { inserted, stored: [at(1, stored)] })).toMatchObject({
        differences: [],
        uncertain: 10,
      });
    for (const stored of [4, 16])
      expect(of(KEPT, { inserted, stored: [at(1, stored)] }).differences).toHaveLength(1);
  });

  test("a chunk that took too long to count says nothing, its neighbours still do", () => {
    const inserted = [job(1, 1, 5), job(2, 2, 5)];
    const books = { inserted, stored: [at(2, 5)], uncounted: new Set([1]) };
    expect(of(KEPT, books)).toMatchObject({ differences: [], expected: 5 });
    expect(of(KEPT, { ...books, stored: [at(2, 4)] }).differences).toHaveLength(1);
  });

  test("a gap is nothing to miss unless somebody stored in it; then it is told, not compared", () => {
    const kinds = ["gone", "empty", "kept", "empty", "kept", "empty"] as const;
    const over = [job(2, 4, 10)];
    expect(of(kinds, { inserted: over, stored: [at(2, 5), at(4, 5)] }).differences).toEqual([]);
    expect(of(kinds, { inserted: over, stored: [at(2, 5), at(4, 4)] }).differences).toHaveLength(1);
    const inserted = [job(1, 1, 7), job(3, 3, 9)];
    expect(of(kinds, { inserted, removed: [at(3, 2)] })).toMatchObject({
      ...{ differences: [], dropped: { before: 7, between: 7 } },
    });
    expect(of(["gone", "empty"], { inserted: [job(1, 1, 7)] })).toMatchObject({ dropped: { between: 7 } });
  });

  test("what was taken out of a job that reaches over several hides no chunk that is missing", () => {
    const kinds = ["gone", "empty", "kept", "empty", "kept", "empty"] as const;
    const inserted = [job(1, 1, 7), job(3, 3, 9), job(1, 4, 50)];
    const removed = [at(1, 20), at(3, 20)];
    expect(of(kinds, { inserted, removed }).dropped).toEqual({ before: 7, between: 9 });
    const others = [job(1, 1, 1, "b"), job(1, 2, 50, "b")];
    expect(of(kinds, { inserted: [job(1, 1, 7), ...others], removed: [at(1, 20, "b")] }).dropped).toEqual({
      before: 8,
      between: 0,
    });
  });

  test("a reading that another system's took the place of is no difference, a missing one is", () => {
    const inserted = [job(1, 1, 10, "a"), job(1, 1, 1, "b")];
    const removed = [at(1, 1, "b")];
    expect(of(KEPT, { inserted, removed, stored: [at(1, 9, "a"), at(1, 1, "b")] }).differences).toEqual([]);
    expect(of(KEPT, { inserted, removed, stored: [at(1, 8, "a"), at(1, 1, "b")] }).differences).toHaveLength(
      2,
    );
    expect(of(KEPT, { inserted, stored: [at(1, 9, "a"), at(1, 2, "b")] }).differences).toHaveLength(2);
  });
});

describe("a chunk that is too much for one statement", () => {
  const ids = Array.from({ length: 10 }, (_, n) => `00000000-0000-4000-8000-00000000000${n}`);
  const tooSlow = () =>
    Object.assign(new pg.DatabaseError("canceling statement", 0, "error"), { code: "57014" });

  /** Counts a reading for each sensor; takes at most `most` sensors in one statement. */
  function moment(most: number) {
    const asked: number[] = [];
    const read = async (text: string, [, , from, to]: (string | null | undefined)[] = []) => {
      if (text.includes("diagnostics_sensor ")) return ids.map((id) => ({ id }));
      const some = ids.filter((id) => (from == null || id >= from) && (to == null || id < to));
      asked.push(some.length);
      if (some.length > most) throw tooSlow();
      return [{ system_id: "a", readings: some.length }];
    };
    return { asked, count: new StoredCount({ read } as unknown as Snapshot) };
  }

  test.each([10, 5, 3, 1])("is counted by sensors, each once, when %d are not too many", async (most) => {
    const { asked, count } = moment(most);
    expect(await count.of("from", "to", () => undefined)).toEqual(new Map([["a", 10]]));
    expect(asked.filter((n) => n <= most).reduce((sum, n) => sum + n, 0)).toBe(10);
  });

  test("is given up when one sensor is too much", async () => {
    expect(await moment(0).count.of("from", "to", () => undefined)).toBeNull();
  });
});
