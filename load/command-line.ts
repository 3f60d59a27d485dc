/** The command lines of the benchmarks. */
import { type ParseArgsOptionsConfig, parseArgs } from "node:util";

/** Wrong use of the command line; the message is for people. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** Options of `parseArgs`. */
export const TEXT = { type: "string" } as const;
export const FLAG = { type: "boolean" } as const;

/** The values of the options. @throws {UsageError} */
export function readArguments<const T extends ParseArgsOptionsConfig>(args: readonly string[], options: T) {
  try {
    return parseArgs({ args: [...args], options }).values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

/** @throws {UsageError} unless it is a whole number from 1 */
export function wholeOption(name: string, text: string | undefined, fallback: number): number {
  if (text === undefined) return fallback;
  return wholeFrom1(name, text, Number(text));
}

/** The same, with commas between groups of digits. @throws {UsageError} */
export function groupedOption(name: string, text: string | undefined, fallback: number): number {
  if (text === undefined) return fallback;
  return wholeFrom1(name, text, Number(text.replaceAll(",", "")));
}

function wholeFrom1(name: string, text: string, value: number): number {
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw new UsageError(`--${name} is a whole number from 1, not "${text}"`);
}

/** Those of `all` that stand between commas, in the order of `all`; all without a text. @throws {UsageError} */
export function onlyOption<const T extends string>(
  text: string | undefined,
  all: readonly T[],
): readonly T[] {
  if (text === undefined) return all;
  const names = text.split(",");
  const unknown = names.find((name) => !all.some((one) => one === name));
  if (unknown !== undefined) throw new UsageError(`--only takes ${all.join(", ")}, not "${unknown}"`);
  return all.filter((one) => names.includes(one));
}
