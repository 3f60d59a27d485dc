/** What an ingest thread remembers of the registry, with a scripted reader and an injected clock. */
import { beforeEach, describe, expect, test } from "bun:test";
import type { KnownSensor } from "../../../src/contract/known-sensor.ts";
import type { SeriesMapping } from "../../../src/contract/series.ts";
import { RegistryCache } from "../../../src/ingest/registry-cache.ts";
import type { KnownSystem } from "../../../src/store/registry.ts";

const REFRESH_MS = 2_000;
let now: number;
let asked: string[];
let systems: KnownSystem[];
let sensors: KnownSensor[];
let mappings: SeriesMapping[];
let cache: RegistryCache;

const system = (id: string, more: Partial<KnownSystem> = {}): KnownSystem => ({
  id,
  archived: false,
  mapped_at: null,
  ...more,
});

const sensor = (id: string, more: Partial<KnownSensor> = {}): KnownSensor => ({
  id,
  system_id: "s1",
  quantity: "pressure",
  unit: "bar",
  archived: false,
  ranges: [],
  ...more,
});

beforeEach(() => {
  now = 0;
  asked = [];
  systems = [system("s1")];
  mappings = [];
  sensors = [sensor("a")];
  const reader = {
    systems: async (ids: readonly string[]) => {
      asked.push(`systems ${ids}`);
      return systems.filter(({ id }) => ids.includes(id));
    },
    sensors: async (ids: readonly string[]) => {
      asked.push(`sensors ${ids}`);
      return sensors.filter(({ id }) => ids.includes(id));
    },
    mappings: async (ids: readonly string[]) => {
      asked.push(`mappings ${ids}`);
      return systems
        .filter(({ id }) => ids.includes(id))
        .map(({ id, mapped_at }) => ({ system_id: id, mapped_at, mappings }));
    },
    changed: async () => {
      asked.push("changed");
      return { systems, sensors };
    },
  };
  cache = new RegistryCache(reader, { now_ms: () => now, monotonic_ms: () => now }, REFRESH_MS);
});

describe("systems", () => {
  test("a known one is asked for once, an unknown one each time", async () => {
    await cache.learnSystems(["s1", "s2"]);
    await cache.learnSystems(["s1", "s2"]);
    expect(asked).toEqual(["systems s1,s2", "systems s2"]);
    expect([cache.system("s1"), cache.system("s2")]).toEqual(["open", "unknown"]);
    systems = [...systems, system("s2")];
    await cache.learnSystems(["s2"]);
    expect(cache.system("s2")).toBe("open");
  });

  test("one that is archived is so after the next refresh", async () => {
    await cache.learnSystems(["s1"]);
    systems = [system("s1", { archived: true })];
    now = REFRESH_MS - 1;
    await cache.refresh();
    expect(cache.system("s1")).toBe("open");
    now = REFRESH_MS;
    await cache.refresh();
    expect(cache.system("s1")).toBe("archived");
  });
});

describe("names", () => {
  const S1 = "11111111-0000-4000-8000-000000000000";
  const meant = () => cache.naming(S1).series.find({ name: "pump" });
  const mapped = (mapped_at: string, sensor_id: string) => {
    systems = [system(S1, { mapped_at })];
    mappings = [{ key: { name: "pump" }, sensor_id, unit: null }];
  };

  test("of a system without mappings cost no question", async () => {
    systems = [system(S1)];
    await cache.learnSystems([S1]);
    await cache.learnSystems([S1]);
    expect(asked).toEqual([`systems ${S1}`]);
    expect(meant()).toMatchObject({ name: "pump", unit: null });
  });

  test("are asked for once, and once more after each change", async () => {
    mapped("monday", "a");
    await cache.learnSystems([S1]);
    await cache.learnSystems([S1]);
    expect(meant()).toEqual({ sensor_id: "a", unit: null, name: null });
    mapped("tuesday", "b");
    now = REFRESH_MS;
    await cache.refresh();
    await cache.learnSystems([S1]);
    await cache.learnSystems([S1]);
    expect(meant()).toEqual({ sensor_id: "b", unit: null, name: null });
    systems = [system(S1, { mapped_at: "wednesday" })];
    mappings = [];
    now = 2 * REFRESH_MS;
    await cache.refresh();
    await cache.learnSystems([S1]);
    expect(meant()).toMatchObject({ name: "pump" });
    expect(asked.filter((question) => question.startsWith("mappings"))).toHaveLength(3);
  });

  test("that changed between two questions are as the later one says", async () => {
    mapped("monday", "a");
    await cache.learnSystems([S1]);
    // The look for changes still sees monday; the mappings themselves are tuesday's already.
    now = REFRESH_MS;
    await cache.refresh();
    mapped("tuesday", "b");
    now = 2 * REFRESH_MS;
    await cache.refresh();
    await cache.learnSystems([S1]);
    await cache.learnSystems([S1]);
    expect(meant()).toMatchObject({ sensor_id: "b" });
    expect(asked.filter((question) => question.startsWith("mappings"))).toHaveLength(2);
  });

  test("of systems that nobody registered are not remembered", () => {
    expect(cache.naming(S1).series).not.toBe(cache.naming(S1).series);
  });
});

describe("sensors", () => {
  test("learning says whether something was learnt", async () => {
    expect(await cache.learnSensors(["a", "b"])).toBe(true);
    expect(await cache.learnSensors(["a", "b"])).toBe(false);
    expect(await cache.learnSensors(["a"])).toBe(false);
    expect(asked).toEqual(["sensors a,b", "sensors b"]);
  });

  test("a new own range judges what was received since it is valid, and only then", async () => {
    await cache.learnSensors(["a"]);
    expect(cache.ranges.at(5_000)).toBeUndefined();
    sensors = [
      sensor("a", {
        ranges: [
          { version: 1, range: { min: 0, max: 250 }, valid_from_ms: 1_000 },
          { version: 2, range: { min: 0, max: 300 }, valid_from_ms: 2_000 },
          { version: 3, range: null, valid_from_ms: 3_000 },
        ],
      }),
    ];
    now = REFRESH_MS;
    await cache.refresh();
    const at = (ms: number) => cache.ranges.at(ms)?.get("a")?.version;
    expect([999, 1_000, 1_999, 2_000, 2_999, 3_000].map(at)).toEqual([undefined, 1, 1, 2, 2, undefined]);
  });

  test("a cache that could not be refreshed for long forgets all, for it may have missed changes", async () => {
    await cache.learnSensors(["a"]);
    await cache.learnSystems(["s1"]);
    now = 20_000;
    await cache.refresh();
    expect(cache.sensors.size).toBe(0);
    expect(cache.system("s1")).toBe("unknown");
    expect(asked).not.toContain("changed");
  });
});
