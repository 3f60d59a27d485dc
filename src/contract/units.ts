/**
 * The unit registry: which spellings of a unit are understood, how a value is converted into the canonical
 * unit of its quantity, and within which range a canonical value must lie. Built once at the start from the
 * built-in units and the operator's own; read-only afterwards.
 */
import {
  MAX_MAGNITUDE,
  MAX_UNIT_LENGTH,
  parseUnitDefinitions,
  rangeProblems,
  spellingProblems,
  type UnitAlias,
  type UnitDefinition,
  UnitDefinitionError,
} from "./unit-definitions.ts";
import { BUILT_IN_UNITS } from "./units-data.ts";

/** Rounding of a conversion relative to the numbers in it; a few hundred times what doubles need. */
const CONVERSION_SLACK = 1e-12;

export { parseUnitDefinitions, type UnitDefinition, UnitDefinitionError } from "./unit-definitions.ts";

/** A unit in which values are stored. */
export interface CanonicalUnit {
  readonly symbol: string;
  readonly name: string;
  readonly quantity: string;
  /** Range in this unit, inclusive; null where none is set and only MAX_MAGNITUDE holds. */
  readonly min: number | null;
  readonly max: number | null;
  /** Who set the range. */
  readonly source: string | null;
  readonly aliases: readonly UnitAlias[];
}

/** Inclusive limits in a canonical unit. */
export interface Range {
  readonly min: number;
  readonly max: number;
}

/** What one spelling means. */
export interface UnitUse {
  readonly spelling: string;
  readonly unit: CanonicalUnit;
  /** Effective limits of `unit`. */
  readonly range: Range;
  /** The value is already canonical. */
  readonly identity: boolean;
  readonly offset: number;
  readonly factor: number;
  readonly divisor: number;
}

/** A value as sent into the canonical unit. Infinite when it overflows; never NaN for a finite value. */
export function toCanonical(use: UnitUse, value: number): number {
  // Adding 0 makes -0 a plain 0.
  return use.identity ? value + 0 : ((value + use.offset) * use.factor) / use.divisor + 0;
}

/**
 * Canonical value if it lies within the limits, else NaN. A value sent in the canonical unit is compared
 * exactly. A converted one may pass a limit by the rounding of its conversion and is then stored as the limit
 * itself: 393.15 K must not fail at 120 celsius because 393.15 - 273.15 is not 120 in binary.
 */
export function canonicalWithin(use: UnitUse, value: number, range: Range): number {
  const canonical = toCanonical(use, value);
  if (canonical >= range.min && canonical <= range.max) return canonical;
  if (use.identity) return Number.NaN;
  const limit = canonical < range.min ? range.min : range.max;
  const scale = Math.abs(limit) + Math.abs((use.offset * use.factor) / use.divisor);
  return Math.abs(canonical - limit) <= scale * CONVERSION_SLACK ? limit : Number.NaN;
}

/** Looked up once per reading: one Map access for a known spelling, nothing is ever added by a lookup. */
export class UnitRegistry {
  readonly #exact = new Map<string, UnitUse>();
  /** Lower-cased spelling to the use it stands for, or null when two uses share it. */
  readonly #folded = new Map<string, UnitUse | null>();
  readonly #units: readonly CanonicalUnit[];

  /** Use `createUnitRegistry`, which checks the definitions. */
  constructor(units: readonly CanonicalUnit[]) {
    this.#units = units;
    for (const unit of units) {
      const range = { min: unit.min ?? -MAX_MAGNITUDE, max: unit.max ?? MAX_MAGNITUDE };
      this.#add(unit, range, { spellings: [unit.symbol] });
      for (const alias of unit.aliases) this.#add(unit, range, alias);
    }
  }

  /**
   * What a spelling means: exactly as registered, else without regard to case and outer blanks where only
   * one use is possible. A leading m is never read as M nor M as m, because milli is not mega.
   */
  lookup(spelling: string): UnitUse | undefined {
    if (spelling.length > MAX_UNIT_LENGTH) return undefined;
    const use = this.#exact.get(spelling);
    if (use !== undefined) return use;
    const trimmed = spelling.trim();
    const folded = this.#folded.get(trimmed.toLowerCase());
    if (folded === undefined || folded === null) return undefined;
    return milliMeetsMega(trimmed, folded.spelling) ? undefined : folded;
  }

  /** The registered spelling nearest to an unknown one, for a message; undefined when none is near. */
  suggest(spelling: string): string | undefined {
    if (spelling.length > MAX_UNIT_LENGTH) return undefined;
    return this.#folded.get(spelling.trim().toLowerCase())?.spelling;
  }

  /** All canonical units, built-in ones first. */
  list(): readonly CanonicalUnit[] {
    return this.#units;
  }

  #add(unit: CanonicalUnit, range: Range, alias: UnitAlias): void {
    const { spellings, offset = 0, factor = 1, divisor = 1 } = alias;
    const identity = offset === 0 && factor === divisor;
    for (const spelling of spellings) {
      const use: UnitUse = { spelling, unit, range, identity, offset, factor, divisor };
      this.#exact.set(spelling, use);
      const key = spelling.toLowerCase();
      const other = this.#folded.get(key);
      if (other === undefined) this.#folded.set(key, use);
      else if (other !== null && !sameUse(other, use)) this.#folded.set(key, null);
    }
  }
}

/**
 * Registry of the built-in units and the operator's own. A definition whose symbol is built in replaces that
 * unit's name, range and source (no range given means no range) and adds its aliases to the built-in ones.
 *
 * @throws UnitDefinitionError
 */
export function createUnitRegistry(extra: readonly UnitDefinition[] = []): UnitRegistry {
  const units = new Map(BUILT_IN_UNITS.map((definition) => [definition.symbol, canonical(definition)]));
  const problems: string[] = [];
  for (const definition of parseUnitDefinitions(extra)) {
    const unit = canonical(definition);
    const known = units.get(unit.symbol);
    if (known === undefined) units.set(unit.symbol, unit);
    else if (known.quantity === unit.quantity) {
      units.set(unit.symbol, { ...unit, aliases: [...known.aliases, ...unit.aliases] });
    } else problems.push(`${unit.symbol} is a unit of ${known.quantity}, not of ${unit.quantity}`);
  }
  const list = [...units.values()];
  problems.push(...list.flatMap(rangeProblems), ...spellingProblems(list));
  if (problems.length > 0) throw new UnitDefinitionError(problems);
  return new UnitRegistry(list);
}

function canonical(definition: UnitDefinition): CanonicalUnit {
  const { symbol, name, quantity, min = null, max = null, source = null, aliases = [] } = definition;
  return { symbol, name, quantity, min, max, source, aliases };
}

function sameUse(a: UnitUse, b: UnitUse): boolean {
  return a.unit === b.unit && a.offset === b.offset && a.factor === b.factor && a.divisor === b.divisor;
}

function milliMeetsMega(sent: string, registered: string): boolean {
  const first = sent[0];
  return (first === "m" || first === "M") && registered[0] !== first;
}
