/** How a unit is defined, built in or by the operator's configuration, and what makes a definition unusable. */
import { type Static, Type } from "@sinclair/typebox";
import { TypeCompiler } from "@sinclair/typebox/compiler";

/** Longest spelling of a unit, in UTF-16 units; longer ones are unknown without being looked at. */
export const MAX_UNIT_LENGTH = 32;
/**
 * Bound of every canonical value, for units that state no range. PostgreSQL's avg and stddev over float8
 * sum squares and raise 22003 when those overflow; below 1e100 they cannot.
 */
export const MAX_MAGNITUDE = 1e100;
/** Own units an operator may add. */
const MAX_DEFINITIONS = 1000;
/** Bound of the constants of a conversion, so that no product of them overflows. */
const MAX_CONSTANT = 1e30;

const SpellingSchema = Type.String({ minLength: 1, maxLength: MAX_UNIT_LENGTH });
const TextSchema = Type.String({ minLength: 1, maxLength: 64 });
const ScaleSchema = Type.Number({
  minimum: 1 / MAX_CONSTANT,
  maximum: MAX_CONSTANT,
  description: "1 when absent",
});

/** canonical = (value + offset) * factor / divisor, in this order: (248 °F - 32) * 5 / 9 is exactly 120 °C. */
const AliasSchema = Type.Object(
  {
    spellings: Type.Array(SpellingSchema, { minItems: 1 }),
    offset: Type.Optional(
      Type.Number({
        minimum: -MAX_CONSTANT,
        maximum: MAX_CONSTANT,
        description: "added first; 0 when absent",
      }),
    ),
    factor: Type.Optional(ScaleSchema),
    divisor: Type.Optional(ScaleSchema),
  },
  { additionalProperties: false },
);

/** A canonical unit as configured. `min` and `max` are in this unit and inclusive. */
const UnitDefinitionSchema = Type.Object(
  {
    symbol: SpellingSchema,
    name: TextSchema,
    quantity: TextSchema,
    min: Type.Optional(Type.Number()),
    max: Type.Optional(Type.Number()),
    source: Type.Optional(TextSchema),
    aliases: Type.Optional(Type.Array(AliasSchema)),
  },
  { $id: "UnitDefinition", additionalProperties: false },
);
export type UnitDefinition = Static<typeof UnitDefinitionSchema>;
export type UnitAlias = Static<typeof AliasSchema>;

const definitionsCheck = TypeCompiler.Compile(
  Type.Array(UnitDefinitionSchema, { maxItems: MAX_DEFINITIONS }),
);

/** Configured units that cannot be used; `problems` has one line for each thing to mend. */
export class UnitDefinitionError extends Error {
  override readonly name = "UnitDefinitionError";
  constructor(readonly problems: readonly string[]) {
    super(`unit definitions: ${problems.join("; ")}`);
  }
}

/**
 * Unit definitions from a configuration file, already decoded from JSON.
 *
 * @throws UnitDefinitionError with a JSON pointer for each field of the wrong shape
 */
export function parseUnitDefinitions(json: unknown): readonly UnitDefinition[] {
  if (definitionsCheck.Check(json)) return json;
  const problems = [...definitionsCheck.Errors(json)].map(
    ({ path, message }) => `${path || "/"}: ${message}`,
  );
  throw new UnitDefinitionError(problems);
}

interface DefinedRange {
  readonly symbol: string;
  readonly min: number | null;
  readonly max: number | null;
}

interface DefinedSpellings {
  readonly symbol: string;
  readonly aliases: readonly UnitAlias[];
}

/** Ranges that are empty or too wide; null where no limit is set. */
export function rangeProblems(unit: DefinedRange): string[] {
  const { symbol, min, max } = unit;
  if (min !== null && max !== null && min >= max) return [`${symbol}: min ${min} is not below max ${max}`];
  const beyond = [min, max].find((limit) => limit !== null && Math.abs(limit) > MAX_MAGNITUDE);
  return beyond === undefined ? [] : [`${symbol}: limit ${beyond} is beyond ${MAX_MAGNITUDE}`];
}

/** Spellings that are blank, unprintable, or claimed by two units or by two conversions of one unit. */
export function spellingProblems(units: readonly DefinedSpellings[]): string[] {
  const problems: string[] = [];
  const owners = new Map<string, string>();
  for (const unit of units) {
    for (const spelling of [unit.symbol, ...unit.aliases.flatMap((alias) => alias.spellings)]) {
      const shown = JSON.stringify(spelling);
      const owner = owners.get(spelling);
      if (owner !== undefined) problems.push(`${unit.symbol}: ${shown} already belongs to ${owner}`);
      if (spelling.trim() !== spelling || /\p{Cc}|\p{Cs}/u.test(spelling)) {
        problems.push(`${unit.symbol}: ${shown} has outer blanks or unprintable characters`);
      }
      owners.set(spelling, unit.symbol);
    }
  }
  return problems;
}
