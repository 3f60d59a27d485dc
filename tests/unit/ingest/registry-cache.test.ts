/** What an ingest thread remembers of the registry, with a scripted reader and an injected clock. */
import { beforeEach, describe, expect, test } from "bun:test";
import type { KnownSensor } from "../../../src/contract/known-sensor.ts";
import { RegistryCache } from "../../../src/ingest/registry-cache.ts";
import type { KnownSystem } from "../../../src/store/registry.ts";

const REFRESH_MS = 2_000;
let now: number;
let asked: string[];
let systems: KnownSystem[];
let sensors: KnownSensor[];
let cache: RegistryCache;

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
  systems = [{ id: "s1", archived: false }];
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
    systems = [...systems, { id: "s2", archived: false }];
    await cache.learnSystems(["s2"]);
    expect(cache.system("s2")).toBe("open");
  });

  test("one that is archived is so after the next refresh", async () => {
    await cache.learnSystems(["s1"]);
    systems = [{ id: "s1", archived: true }];
    now = REFRESH_MS - 1;
    await cache.refresh();
    expect(cache.system("s1")).toBe("open");
    now = REFRESH_MS;
    await cache.refresh();
    expect(cache.system("s1")).toBe("archived");
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
