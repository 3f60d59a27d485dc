import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { MAX_MAGNITUDE } from "../../../src/contract/unit-definitions.ts";
import {
  canonicalWithin,
  createUnitRegistry,
  parseUnitDefinitions,
  toCanonical,
  type UnitDefinition,
  UnitDefinitionError,
  type UnitUse,
} from "../../../src/contract/units.ts";

const units = createUnitRegistry();

function use(spelling: string, registry = units): UnitUse {
  const found = registry.lookup(spelling);
  if (found === undefined) throw new Error(`${spelling} is not known`);
  return found;
}

function problemsOf(make: () => unknown): readonly string[] {
  try {
    make();
  } catch (error) {
    if (error instanceof UnitDefinitionError) return error.problems;
    throw error;
  }
  throw new Error("the definitions were accepted");
}

describe("a value is converted by the exact definition of its unit", () => {
  test.each([
    [1, "bar", 1, "bar"],
    [145.0377377302092, "psi", 10, "bar"],
    [250, "kPa", 2.5, "bar"],
    [70, "MPa", 700, "bar"],
    [100_000, "Pa", 1, "bar"],
    [1013.25, "mbar", 1.01325, "bar"],
    [1, "kgf/cm2", 0.980665, "bar"],
    [1, "atm", 1.01325, "bar"],
    [212, "degF", 100, "celsius"],
    [32, "°F", 0, "celsius"],
    [248, "F", 120, "celsius"],
    [-40, "fahrenheit", -40, "celsius"],
    [273.15, "K", 0, "celsius"],
    [25.5, "°C", 25.5, "celsius"],
    [60, "l/min", 60, "lpm"],
    [1, "l/s", 60, "lpm"],
    [60, "m3/h", 1000, "lpm"],
    [1, "gpm", 3.785411784, "lpm"],
    [600, "l/h", 10, "lpm"],
    [1500, "ml/min", 1.5, "lpm"],
    [50, "Hz", 3000, "rpm"],
    [25, "r/s", 1500, "rpm"],
    [100 * Math.PI, "rad/s", 3000, "rpm"],
    [1500, "1/min", 1500, "rpm"],
    [360, "deg/s", 60, "rpm"],
    [2.184, "kW", 2184, "W"],
    [1, "hp", 745.6998715822702, "W"],
    [0.5, "m/s", 500, "mm/s"],
    [1, "in/s", 25.4, "mm/s"],
    [47.2, "percent", 47.2, "%"],
    [24_000, "mV", 24, "V"],
    [20, "mA", 0.02, "A"],
    [2, "in", 50.8, "mm"],
    [15, "µm", 0.015, "mm"],
    [15, "μm", 0.015, "mm"],
  ])("%d %s is %d %s", (value, spelling, expected, symbol) => {
    expect(use(spelling).unit.symbol).toBe(symbol);
    expect(toCanonical(use(spelling), value)).toBeCloseTo(expected, 12);
  });

  test.each([
    // 0.0689475729316836133…, of which this is the nearest double.
    ["psi", 1, 0.06894757293168362],
    ["gpm", 1, 3.785411784],
    ["degF", 212, 100],
    ["degF", 248, 120],
    ["degF", -40, -40],
    ["MPa", 70, 700],
    ["m3/h", 60, 1000],
    ["hp", 1, 745.6998715822702],
  ])("%s has no rounding at %d", (spelling, value, expected) => {
    expect(toCanonical(use(spelling), value)).toBe(expected);
  });

  test("-0 becomes 0 in canonical and in converted units", () => {
    for (const spelling of ["bar", "psi", "kW", "%"]) {
      expect(Object.is(toCanonical(use(spelling), -0), 0)).toBe(true);
    }
  });

  test("a finite value never becomes NaN", () => {
    const spellings = units.list().flatMap((unit) => unit.aliases.flatMap((alias) => alias.spellings));
    const value = fc.double({ noNaN: true, noDefaultInfinity: true });
    fc.assert(
      fc.property(value, fc.constantFrom(...spellings), (sent, spelling) =>
        expect(toCanonical(use(spelling), sent)).not.toBeNaN(),
      ),
    );
  });
});

describe("a converted value at a limit is within it", () => {
  test.each([
    ["bar", 700, 700],
    ["degF", 248, 120],
    ["degF", -40, -40],
    ["K", 393.15, 120],
    ["K", 233.15, -40],
    ["psi", 10_152.64164111464, 700],
    ["psi", 10_152.641641114642, 700],
    ["psi", 10_152.641641114646, 700],
    ["kPa", 70_000, 700],
    ["gpm", 264.1720523581484, 1000],
    ["rad/s", 628.3185307179587, 6000],
    ["Hz", 100, 6000],
    ["m3/h", 60, 1000],
  ])("%s %d counts as %d", (spelling, value, limit) => {
    const { range } = use(spelling);
    expect(canonicalWithin(use(spelling), value, range)).toBeCloseTo(limit, 9);
    expect(canonicalWithin(use(spelling), value, range)).toBeLessThanOrEqual(range.max);
    expect(canonicalWithin(use(spelling), value, range)).toBeGreaterThanOrEqual(range.min);
  });

  test("and what a sensor can resolve beyond it is not", () => {
    for (const [spelling, value] of [
      ["psi", 10_152.64165],
      ["degF", 248.000001],
      ["K", 393.150001],
      ["K", 233.149999],
      ["kPa", 70_000.0001],
      ["psi", -0.000001],
    ] as const) {
      expect(canonicalWithin(use(spelling), value, use(spelling).range)).toBeNaN();
    }
  });

  test("while a value in the canonical unit is compared exactly", () => {
    const { range } = use("bar");
    expect(canonicalWithin(use("bar"), 700.0000000000001, range)).toBeNaN();
    expect(canonicalWithin(use("barg"), 700.0000000000001, range)).toBeNaN();
    expect(canonicalWithin(use("bar"), -5e-324, range)).toBeNaN();
    expect(canonicalWithin(use("celsius"), 120.00000000000001, use("celsius").range)).toBeNaN();
  });
});

describe("the ranges of ISO 4413 are the agreed ones", () => {
  test.each([
    ["bar", 0, 700],
    ["celsius", -40, 120],
    ["lpm", 0, 1000],
    ["rpm", 0, 6000],
  ])("%s %d to %d", (symbol, min, max) => {
    expect(use(symbol).unit).toMatchObject({ symbol, min, max, source: "ISO 4413" });
  });

  test("and every other built-in unit is bounded, with a source", () => {
    for (const unit of units.list()) {
      expect(unit.source).not.toBeNull();
      expect(unit.min).not.toBeNull();
      expect(unit.max).not.toBeNull();
    }
  });
});

describe("spellings", () => {
  test.each([
    ["BAR", "bar", "bar"],
    ["Psi", "psi", "bar"],
    ["KPA", "kPa", "bar"],
    ["MPA", "MPa", "bar"],
    ["mBar", "mbar", "bar"],
    ["L/min", "l/min", "lpm"],
    ["L/MIN", "l/min", "lpm"],
    ["LPM", "lpm", "lpm"],
    ["GPM", "gpm", "lpm"],
    ["RPM", "rpm", "rpm"],
    ["c", "C", "celsius"],
    ["Celsius", "celsius", "celsius"],
    ["°c", "°C", "celsius"],
    ["DEGC", "degC", "celsius"],
    ["Fahrenheit", "fahrenheit", "celsius"],
    ["KELVIN", "kelvin", "celsius"],
    ["kw", "kW", "W"],
    [" bar ", "bar", "bar"],
  ])("%j is read as %s", (sent, spelling, symbol) => {
    expect(use(sent).spelling).toBe(spelling);
    expect(use(sent).unit.symbol).toBe(symbol);
  });

  test.each(["mPa", "mpa", "Mbar", "MBAR", "mW", "mw", "MV", "MA", "MM", "Mm", "M"])(
    "%s is never guessed, because milli is not mega",
    (sent) => expect(units.lookup(sent)).toBeUndefined(),
  );

  test.each([
    "",
    " ",
    "furlong",
    "b ar",
    "bar\0",
    "constructor",
    "__proto__",
    "toString",
    "x".repeat(1_000_000),
  ])("%.20j is unknown", (sent) => expect(units.lookup(sent)).toBeUndefined());

  test("a unit has one meaning: every registered spelling finds its own unit", () => {
    for (const unit of units.list()) {
      for (const spelling of [unit.symbol, ...unit.aliases.flatMap((alias) => alias.spellings)]) {
        expect(use(spelling).unit).toBe(unit);
        expect(use(spelling).spelling).toBe(spelling);
      }
    }
  });

  test("one quantity has one canonical unit", () => {
    const quantities = units.list().map((unit) => unit.quantity);
    expect(new Set(quantities).size).toBe(quantities.length);
  });

  test("a near miss is suggested, a far one is not", () => {
    expect(units.suggest("mPa")).toBe("MPa");
    expect(units.suggest("MM/S")).toBe("mm/s");
    expect(units.suggest("furlong")).toBeUndefined();
    expect(units.suggest("M".repeat(100))).toBeUndefined();
  });

  test("differing in case only from two meanings is ambiguous and unknown", () => {
    const registry = createUnitRegistry([
      { symbol: "xA", name: "one", quantity: "one" },
      { symbol: "Xa", name: "two", quantity: "two" },
    ]);
    expect(use("xA", registry).unit.name).toBe("one");
    expect(use("Xa", registry).unit.name).toBe("two");
    expect(registry.lookup("xa")).toBeUndefined();
    expect(registry.lookup("XA")).toBeUndefined();
    expect(registry.suggest("XA")).toBeUndefined();
  });
});

describe("the operator's own units", () => {
  const torque: UnitDefinition = {
    symbol: "Nm",
    name: "newton metre",
    quantity: "torque",
    min: -5000,
    max: 5000,
    source: "drive data sheet",
    aliases: [{ spellings: ["kNm"], factor: 1000 }],
  };

  test("are converted and bounded like built-in ones and listed after them", () => {
    const registry = createUnitRegistry([torque]);
    expect(toCanonical(use("kNm", registry), 1.5)).toBe(1500);
    expect(use("kNm", registry).range).toEqual({ min: -5000, max: 5000 });
    expect(registry.list().at(-1)?.symbol).toBe("Nm");
    expect(units.lookup("Nm")).toBeUndefined();
  });

  test("without a range hold what PostgreSQL can still average", () => {
    const registry = createUnitRegistry([{ symbol: "Nm", name: "newton metre", quantity: "torque" }]);
    expect(use("Nm", registry).range).toEqual({ min: -MAX_MAGNITUDE, max: MAX_MAGNITUDE });
    expect(canonicalWithin(use("Nm", registry), 1e308, use("Nm", registry).range)).toBeNaN();
  });

  test("with a built-in symbol replace its range and keep its aliases", () => {
    const registry = createUnitRegistry([
      {
        symbol: "lpm",
        name: "litre per minute",
        quantity: "volume flow",
        min: 0,
        max: 3000,
        source: "press hall",
        aliases: [{ spellings: ["bbl/d"], factor: 0.1104 }],
      },
    ]);
    expect(use("gpm", registry).range.max).toBe(3000);
    expect(use("bbl/d", registry).unit.source).toBe("press hall");
    expect(use("lpm").range.max).toBe(1000);
  });

  test.each<[string, UnitDefinition[], RegExp]>([
    ["another quantity", [{ symbol: "bar", name: "bar", quantity: "length" }], /bar is a unit of pressure/],
    ["an empty range", [{ ...torque, min: 5, max: 5 }], /Nm: min 5 is not below max 5/],
    ["an endless range", [{ ...torque, max: 1e200 }], /Nm: limit 1e\+200 is beyond 1e\+100/],
    [
      "a taken spelling",
      [{ ...torque, aliases: [{ spellings: ["psi"] }] }],
      /Nm: "psi" already belongs to bar/,
    ],
    ["a spelling twice", [{ ...torque, aliases: [{ spellings: ["Nm"] }] }], /Nm: "Nm" already belongs to Nm/],
    ["a blank", [{ ...torque, symbol: " Nm" }], /" Nm" has outer blanks/],
    ["a NUL", [{ ...torque, symbol: "N\0m" }], /"N\\u0000m" has outer blanks or unprintable/],
    ["a lone surrogate", [{ ...torque, symbol: "N\ud800" }], /unprintable/],
  ])("are refused for %s", (_, definitions, problem) => {
    const problems = problemsOf(() => createUnitRegistry(definitions));
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(problem);
  });

  test("report every problem at once", () => {
    expect(problemsOf(() => createUnitRegistry([{ ...torque, symbol: " x", min: 9, max: 1 }]))).toHaveLength(
      2,
    );
  });

  test.each<[string, unknown, RegExp]>([
    ["no list", {}, /^\/: /],
    ["a missing name", [{ symbol: "x", quantity: "y" }], /^\/0\/name: /],
    ["a misspelled field", [{ ...torque, maximum: 5 }], /^\/0\/maximum: /],
    [
      "a factor of 0",
      [{ ...torque, aliases: [{ spellings: ["a"], factor: 0 }] }],
      /^\/0\/aliases\/0\/factor: /,
    ],
    ["an endless offset", [{ ...torque, aliases: [{ spellings: ["a"], offset: 1e300 }] }], /\/offset: /],
    ["an empty symbol", [{ ...torque, symbol: "" }], /^\/0\/symbol: /],
    ["no spelling", [{ ...torque, aliases: [{ spellings: [] }] }], /^\/0\/aliases\/0\/spellings: /],
  ])("from a file are refused for %s, with a JSON pointer", (_, json, problem) => {
    expect(problemsOf(() => parseUnitDefinitions(json))).toContainEqual(expect.stringMatching(problem));
  });
});
