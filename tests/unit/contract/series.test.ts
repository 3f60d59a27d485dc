import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { isUuid } from "../../../src/contract/job-id.ts";
import { resolve, unitMissing } from "../../../src/contract/naming.ts";
import {
  AmbiguousSeries,
  mappingId,
  mappingText,
  type SeriesKey,
  SeriesMap,
  type SeriesMapping,
  seriesName,
} from "../../../src/contract/series.ts";

const SYSTEM = "550e8400-e29b-41d4-a716-446655440000";
const field = (tags: Record<string, string>, measurement = "pump", name = "pressure") => ({
  measurement,
  field: name,
  tags,
});
const mapping = (key: SeriesKey, sensor_id: string, unit: string | null = null): SeriesMapping => ({
  key,
  sensor_id,
  unit,
});
const map = (...mappings: SeriesMapping[]) => new SeriesMap(SYSTEM, mappings);

describe("a name without a mapping", () => {
  test("stands for the same sensor everywhere, and for another one in another system", () => {
    const target = map().find({ name: "pump 1" });
    expect(target).toEqual({ sensor_id: "967b41ec-dc8d-5e4b-829b-14740302b9c2", unit: null, name: "pump 1" });
  });

  test("has an id of its own, whatever the name", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string({ minLength: 1 }), { minLength: 2, maxLength: 20 }), (names) => {
        const series = map();
        const ids = names.map((name) => (series.find({ name }) as { sensor_id: string }).sensor_id);
        expect(new Set(ids).size).toBe(names.length);
        expect(ids.every(isUuid)).toBe(true);
        expect(names.map((name) => (map().find({ name }) as { sensor_id: string }).sensor_id)).toEqual(ids);
      }),
    );
  });
});

describe("the name of a field", () => {
  test.each([
    [field({ line: "1", host: "a" }), "pump,host=a,line=1 pressure"],
    [field({}), "pump pressure"],
    [field({ unit: "bar", quality: "95", a: "b" }), "pump,a=b pressure"],
    [field({ quality: "good" }), "pump,quality=good pressure"],
    [field({ "a b": "c,d=e" }, "m,n o=p", "f g"), "m\\,n\\ o=p,a\\ b=c\\,d\\=e f\\ g"],
  ])("%j is %s", (key, name) => {
    expect(seriesName(key)).toBe(name);
  });

  test("tells fields apart, whatever is in them", () => {
    const text = fc.string({ unit: fc.constantFrom("a", ",", "=", " ", "\\"), minLength: 1, maxLength: 3 });
    const key = fc.record({
      measurement: text,
      field: text,
      tags: fc.dictionary(text, text, { maxKeys: 2 }),
    });
    expect(mappingText(field({ a: "b" }, "m\\"))).not.toBe(mappingText(field({}, "m,a=b")));
    fc.assert(
      fc.property(key, key, (a, b) => {
        fc.pre(!Bun.deepEquals(a, b));
        expect(mappingText(a)).not.toBe(mappingText(b));
      }),
      { numRuns: 5_000 },
    );
  });

  test("may be mapped as a name", () => {
    const series = map(mapping({ name: "pump,host=a pressure" }, "s1", "bar"), mapping(field({}), "s2"));
    expect(series.find(field({ host: "a", unit: "psi" }))).toEqual({
      sensor_id: "s1",
      unit: "bar",
      name: null,
    });
    expect(series.find(field({ host: "b" }))).toMatchObject({ sensor_id: "s2" });
  });
});

describe("mappings of fields", () => {
  const series = map(
    mapping(field({}), "any"),
    mapping(field({ line: "1" }), "line 1"),
    mapping(field({ line: "1", host: "a" }), "line 1 of a"),
    mapping(field({ host: "b" }), "host b"),
    mapping(field({ hall: "2", host: "c" }), "x", "psi"),
    mapping(field({ hall: "2", line: "9" }), "x", "psi"),
    mapping(field({}, "pump", "flow"), "flow"),
  );
  test.each([
    [{}, "any"],
    [{ host: "z" }, "any"],
    [{ line: "1", host: "z", more: "1" }, "line 1"],
    [{ line: "1", host: "a", more: "1" }, "line 1 of a"],
    [{ line: "2", host: "b" }, "host b"],
    [{ hall: "2", host: "c", line: "9" }, "x"],
  ])("that of the most tags counts: %j", (tags, sensor_id) => {
    expect(series.find(field(tags))).toMatchObject({ sensor_id, name: null });
  });

  test("that fit alike and mean different sensors are of no use, and all are named", () => {
    expect(series.find(field({ line: "1", host: "b" }))).toEqual(
      new AmbiguousSeries("pump,host=b,line=1 pressure", ["pump,host=b pressure", "pump,line=1 pressure"]),
    );
  });

  test("know only their own measurement and field", () => {
    expect(series.find(field({}, "pump", "flow"))).toMatchObject({ sensor_id: "flow" });
    expect(series.find(field({}, "motor", "pressure"))).toMatchObject({ name: "motor pressure" });
    expect(series.find(field({ line: "1" }, "__proto__", "x"))).toMatchObject({ name: "__proto__,line=1 x" });
  });

  test("have an id that tells names from fields of the same text", () => {
    expect(mappingId(SYSTEM, field({}))).not.toBe(mappingId(SYSTEM, { name: "pump pressure" }));
    expect(mappingId(SYSTEM, field({ a: "1", b: "2" }))).toBe(mappingId(SYSTEM, field({ b: "2", a: "1" })));
  });
});

describe("the unit of a name", () => {
  const sensors = new Map([
    ["s1", { id: "s1", system_id: SYSTEM, quantity: "pressure", unit: "bar", archived: false, ranges: [] }],
  ]);
  const unitOf = (unit: string | null, tags: Record<string, string>, known = sensors) => {
    const resolved = resolve(field(tags), { series: map(mapping(field({}), "s1", unit)), sensors: known });
    return resolved instanceof AmbiguousSeries ? resolved : [resolved.unit, resolved.quality];
  };
  test("is the mapping's, else that of the tag, else the sensor's, else nobody's", () => {
    expect(unitOf("kPa", { unit: "psi", quality: "95.5" })).toEqual(["kPa", 95.5]);
    expect(unitOf(null, { unit: "psi", quality: "good" })).toEqual(["psi", undefined]);
    expect(unitOf(null, {})).toEqual(["bar", undefined]);
    expect(unitOf(null, {}, new Map())).toEqual([undefined, undefined]);
  });

  test("that is nobody's is asked for by the name", () => {
    const at = { timestamp: "2026-01-01T00:00:00Z", value: 1 };
    expect(unitMissing({ ...field({ a: "1" }), ...at })).toBe(
      'nobody says the unit of "pump,a=1 pressure": not the reading, nor a mapping, nor a registered sensor',
    );
  });
});
