/** The pure parts of verify: figures, tables, plans, settings in URLs, and what Redis says. */
import { describe, expect, test } from "bun:test";
import { type PlanNode, readPlan } from "../../../src/store/inspect/plan.ts";
import { withSessionSettings } from "../../../src/store/session-options.ts";
import type { ScriptedRedis } from "../../../src/stream/scripts.ts";
import { latency, median } from "../../../src/verify/benchmark/percentile.ts";
import { redis as redisCheck } from "../../../src/verify/checks/redis.ts";
import type { Surveyed, VerifyContext } from "../../../src/verify/context.ts";
import { gravest, type NamedFinding } from "../../../src/verify/finding.ts";
import { bytes, duration, percent, plural } from "../../../src/verify/format.ts";
import { closingLine, tableLine } from "../../../src/verify/table.ts";
import { ManualClock } from "../../support/manual-clock.ts";

describe("figures", () => {
  test.each([
    [0, "0 B"],
    [999, "999 B"],
    [1_000, "1.00 kB"],
    [15_250, "15.3 kB"],
    [159_588_352, "160 MB"],
    [3_993_853_952, "3.99 GB"],
    [2.5e15, "2500 TB"],
  ])("%d bytes are %s", (count, text) => expect(bytes(count)).toBe(text));

  test.each([
    [0.4, "0 ms"],
    [999, "999 ms"],
    [1_500, "1.5 s"],
    [180_000, "3 min"],
    [-90_000, "-90 s"],
    [3 * 3_600_000, "3 h"],
    [7 * 86_400_000, "7 days"],
  ])("%d ms are %s", (ms, text) => expect(duration(ms)).toBe(text));

  test("shares and plurals", () => {
    expect(percent(0.9234)).toBe("92.3 %");
    expect(percent(0.22, 0)).toBe("22 %");
    expect([plural(1, "chunk"), plural(0, "chunk"), plural(1_200, "chunk")]).toEqual([
      "1 chunk",
      "0 chunks",
      "1,200 chunks",
    ]);
  });

  test("percentiles are of the nearest rank", () => {
    const hundred = Array.from({ length: 100 }, (_, i) => 100 - i);
    expect(latency(hundred)).toEqual({ n: 100, p50_ms: 50, p95_ms: 95, max_ms: 100 });
    expect(latency([3])).toEqual({ n: 1, p50_ms: 3, p95_ms: 3, max_ms: 3 });
    expect(() => latency([])).toThrow(RangeError);
    expect([median([3, 1, 2]), median([4, 1])]).toEqual([2, 1]);
  });
});

describe("the table", () => {
  const finding = (verdict: NamedFinding["verdict"], remedy?: string): NamedFinding => ({
    check: "disk",
    verdict,
    summary: "1 GB free",
    figures: {},
    ...(remedy ? { remedy } : {}),
  });

  test("a line for each finding, with what to do below", () => {
    expect(tableLine(finding("ok"), false)).toBe("ok    disk                1 GB free\n");
    expect(tableLine(finding("warn", "Free space"), false)).toBe(
      `warn  disk                1 GB free\n${" ".repeat(26)}→ Free space\n`,
    );
    expect(tableLine(finding("fail"), true)).toStartWith("\x1b[31mfail  \x1b[0mdisk");
  });

  test("the closing line counts, the gravest verdict rules", () => {
    const all = [finding("ok"), finding("n/a"), finding("warn"), finding("ok")];
    expect(closingLine(all)).toBe("4 checks: 2 ok, 1 warning, 0 failed, 1 not available\n");
    expect(gravest(all)).toBe("warn");
    expect(gravest([...all, finding("fail")])).toBe("fail");
    expect(gravest([finding("n/a")])).toBe("ok");
  });
});

test("a plan tells its relations, its indexes and what was read without one", () => {
  const scan = (name: string, more: Partial<PlanNode>): PlanNode => ({
    "Node Type": "Seq Scan",
    Schema: "_timescaledb_internal",
    "Relation Name": name,
    ...more,
  });
  const facts = readPlan({
    "Node Type": "Custom Scan",
    "Relation Name": "diagnostics_sensordata",
    "Actual Rows": 7,
    Plans: [
      scan("chunk_1", { "Node Type": "Index Scan", "Index Name": "key_1" }),
      {
        "Node Type": "Append",
        Plans: [scan("chunk_2", { "Actual Rows": 10, "Actual Loops": 2, "Rows Removed by Filter": 45 })],
      },
    ],
  });
  expect(facts).toEqual({
    relations: ["_timescaledb_internal.chunk_1", "_timescaledb_internal.chunk_2"],
    indexes: ["key_1"],
    whole_scans: [{ relation: "chunk_2", rows_read: 110, rows_returned: 20 }],
    rows: 7,
  });
});

describe("settings of sessions in a URL", () => {
  const base = "postgres://u:p%40ss@h:5432/d";
  test("are added to what is there, as libpq reads them", () => {
    const once = withSessionSettings(base, { search_path: "a,b" });
    expect(once).toBe(`${base}?options=-c%20search_path%3Da%2Cb`);
    const twice = withSessionSettings(`${once}&sslmode=disable`, { jit: "off" });
    expect(new URL(twice).searchParams.get("options")).toBe("-c search_path=a,b -c jit=off");
    expect(new URL(twice).searchParams.get("sslmode")).toBe("disable");
  });
  test("must not hold what would end a setting", () => {
    expect(() => withSessionSettings(base, { search_path: "a -c fsync=off" })).toThrow(TypeError);
    expect(() => withSessionSettings(base, { "a\\": "b" })).toThrow(TypeError);
  });
});

describe("Redis", () => {
  const GOOD = {
    redis_version: "8.0.2",
    aof_enabled: "1",
    maxmemory_policy: "noeviction",
    used_memory: "1000",
    maxmemory: "0",
  };
  const ask = (info: Record<string, string>, durability = "everysec", appendfsync = "everysec") => {
    const lines = Object.entries(info).map(([name, value]) => `${name}:${value}`);
    const redis = {
      info: async () => `# Server\r\n${lines.join("\r\n")}\r\n`,
      time: async () => ["1767225600", "250000"],
      config: async () => ["appendfsync", appendfsync],
    } as unknown as ScriptedRedis;
    return redisCheck.run(
      {
        redis,
        clock: new ManualClock(),
        expected: { bounds: { partitions: 1 }, durability },
      } as unknown as VerifyContext,
      {} as Surveyed,
    );
  };

  test("that keeps what it accepted is ok", async () => {
    const finding = await ask(GOOD);
    expect(finding).toMatchObject({
      verdict: "ok",
      figures: { version: "8.0.2", append_only: true, clock_offset_ms: 250 },
    });
  });
  test.each([
    ["maxmemory_policy", "allkeys-lru", "fail"],
    ["aof_enabled", "0", "warn"],
  ])("with %s %s: %s", async (name, value, verdict) => {
    expect((await ask({ ...GOOD, [name]: value })).verdict).toBe(verdict as "fail");
  });
  test("that syncs less often than it is to: warn; as often or more often: ok", async () => {
    expect((await ask(GOOD, "always", "everysec")).verdict).toBe("warn");
    const good = await ask(GOOD, "always", "always");
    expect(good).toMatchObject({ verdict: "ok", figures: { durability: "always" } });
    expect((await ask(GOOD, "everysec", "always")).verdict).toBe("ok");
    expect((await ask(GOOD, "everysec", "no")).figures.durability).toBe("os");
  });
  test("Valkey tells its own version", async () => {
    expect((await ask({ ...GOOD, valkey_version: "9.1.0" })).figures.version).toBe("9.1.0");
  });
});
