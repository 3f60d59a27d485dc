/**
 * The built-in units of measurement. One quantity has one canonical unit, in which values are stored; every
 * other spelling is an alias that is converted at ingest.
 *
 * Conversions are exact by definition, stated as NIST SP 811 (2008), appendix B derives them:
 * inch = 25.4 mm, pound = 0.45359237 kg, standard gravity = 9.80665 m/s², US gallon = 231 in³.
 */
import type { UnitDefinition } from "./unit-definitions.ts";

/** Limits that no standard sets: wide enough for any rig, narrow enough to catch a wrong unit or a wild value. */
const PLAUSIBILITY = "plausibility limit";

/** lbf/in² = 4.4482216152605 N / 645.16 mm²; in bar, and as whole numbers, so that no rounding is hidden here. */
const PSI = { factor: 44_482_216_152_605, divisor: 645_160_000_000_000 };

/**
 * Deliberately absent are mPa and Mbar (and mW, MV, MA, Mm): hydraulics does not use them, so who sends them
 * has mixed up milli and mega, and a reading wrong by 10⁹ is worse than a refused one. Absolute pressures
 * (psia, bara) are absent because bar means gauge pressure here.
 */
export const BUILT_IN_UNITS: readonly UnitDefinition[] = [
  {
    symbol: "bar",
    name: "bar",
    quantity: "pressure",
    min: 0,
    max: 700,
    source: "ISO 4413",
    aliases: [
      { spellings: ["barg"] },
      { spellings: ["mbar", "hPa"], divisor: 1000 },
      { spellings: ["Pa", "pascal"], divisor: 100_000 },
      { spellings: ["kPa"], divisor: 100 },
      { spellings: ["MPa"], factor: 10 },
      { spellings: ["psi", "psig", "lbf/in2", "lbf/in²"], ...PSI },
      { spellings: ["kgf/cm2", "kgf/cm²", "kp/cm2"], factor: 980_665, divisor: 1_000_000 },
      { spellings: ["atm"], factor: 101_325, divisor: 100_000 },
    ],
  },
  {
    symbol: "celsius",
    name: "degree Celsius",
    quantity: "temperature",
    min: -40,
    max: 120,
    source: "ISO 4413",
    aliases: [
      // º is the ordinal sign that many keyboards give for the degree sign; ℃ and ℉ are single characters.
      { spellings: ["°C", "ºC", "℃", "C", "degC", "deg C", "deg_C", "degree Celsius", "centigrade"] },
      {
        spellings: ["°F", "ºF", "℉", "F", "degF", "deg F", "deg_F", "fahrenheit", "degree Fahrenheit"],
        offset: -32,
        factor: 5,
        divisor: 9,
      },
      { spellings: ["K", "kelvin"], offset: -273.15 },
    ],
  },
  {
    symbol: "lpm",
    name: "litre per minute",
    quantity: "volume flow",
    min: 0,
    max: 1000,
    source: "ISO 4413",
    aliases: [
      { spellings: ["l/min", "dm3/min", "dm³/min"] },
      { spellings: ["l/s"], factor: 60 },
      { spellings: ["l/h"], divisor: 60 },
      { spellings: ["ml/min", "cm3/min", "cm³/min"], divisor: 1000 },
      { spellings: ["m3/h", "m³/h"], factor: 50, divisor: 3 },
      { spellings: ["m3/min", "m³/min"], factor: 1000 },
      { spellings: ["m3/s", "m³/s"], factor: 60_000 },
      { spellings: ["gpm", "usgpm", "US gpm", "gal/min"], factor: 3.785411784 },
    ],
  },
  {
    symbol: "rpm",
    name: "revolution per minute",
    quantity: "rotational speed",
    min: 0,
    max: 6000,
    source: "ISO 4413",
    aliases: [
      { spellings: ["r/min", "rev/min", "1/min", "min-1", "min^-1", "min⁻¹", "U/min"] },
      { spellings: ["rps", "r/s", "rev/s", "1/s", "Hz"], factor: 60 },
      { spellings: ["rad/s"], factor: 30, divisor: Math.PI },
      { spellings: ["deg/s", "°/s"], divisor: 6 },
    ],
  },
  {
    // Negative when a drive feeds back. 700 bar at 1000 l/min are 1.17 MW.
    symbol: "W",
    name: "watt",
    quantity: "power",
    min: -2_000_000,
    max: 2_000_000,
    source: PLAUSIBILITY,
    aliases: [
      { spellings: ["watt"] },
      { spellings: ["kW", "kilowatt"], factor: 1000 },
      { spellings: ["MW", "megawatt"], factor: 1_000_000 },
      // Mechanical horsepower, 550 ft·lbf/s.
      { spellings: ["hp"], factor: 745.6998715822702 },
    ],
  },
  {
    // Vibration as well as the travel of a cylinder, hence signed.
    symbol: "mm/s",
    name: "millimetre per second",
    quantity: "velocity",
    min: -20_000,
    max: 20_000,
    source: PLAUSIBILITY,
    aliases: [
      { spellings: ["cm/s"], factor: 10 },
      { spellings: ["m/s"], factor: 1000 },
      { spellings: ["m/min"], factor: 50, divisor: 3 },
      { spellings: ["in/s"], factor: 25.4 },
    ],
  },
  {
    // Efficiencies and levels, valve openings in both directions, loads above the rated one.
    symbol: "%",
    name: "percent",
    quantity: "ratio",
    min: -200,
    max: 200,
    source: PLAUSIBILITY,
    aliases: [{ spellings: ["percent", "pct"] }],
  },
  {
    symbol: "V",
    name: "volt",
    quantity: "voltage",
    min: -1500,
    max: 1500,
    source: "low voltage, Directive 2014/35/EU",
    aliases: [
      { spellings: ["volt"] },
      { spellings: ["mV"], divisor: 1000 },
      { spellings: ["kV"], factor: 1000 },
    ],
  },
  {
    symbol: "A",
    name: "ampere",
    quantity: "current",
    min: -10_000,
    max: 10_000,
    source: PLAUSIBILITY,
    aliases: [{ spellings: ["amp", "ampere"] }, { spellings: ["mA"], divisor: 1000 }],
  },
  {
    symbol: "mm",
    name: "millimetre",
    quantity: "length",
    min: -100_000,
    max: 100_000,
    source: PLAUSIBILITY,
    aliases: [
      // Micro sign U+00B5 and Greek mu U+03BC look the same.
      { spellings: ["um", "\u00b5m", "\u03bcm"], divisor: 1000 },
      { spellings: ["cm"], factor: 10 },
      { spellings: ["m"], factor: 1000 },
      { spellings: ["in", "inch"], factor: 25.4 },
    ],
  },
];
