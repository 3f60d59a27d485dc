/**
 * Feeds a parser with changed samples. What a target says of an input (stored or refused, and why) is its signature: an
 * input with a new one went somewhere new and is changed further, which is coverage guidance without a coverage tool.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Chance } from "../../../src/feed/simulate/chance.ts";
import { mutated } from "./mutate.ts";

const CORPUS = new URL("corpus/", import.meta.url).pathname;
const FOUND = new URL("../../../.data/fuzz/", import.meta.url).pathname;

export interface FuzzTarget {
  /** Folder of its samples in the corpus. */
  readonly name: string;
  /**
   * Look at one input.
   * @returns what became of it, in few different words
   * @throws when a property does not hold
   */
  readonly look: (bytes: Buffer) => string | Promise<string>;
}

export interface FuzzSettings {
  readonly seed: number;
  /** Inputs beside the samples themselves. */
  readonly runs: number;
}

/** FUZZ_RUNS makes a longer run (for each target), FUZZ_SEED another one. */
export const FUZZ: FuzzSettings = {
  seed: Number(process.env.FUZZ_SEED ?? 1),
  runs: Number(process.env.FUZZ_RUNS ?? 1_500),
};

/** Samples by their file names. @throws {Error} when there are none */
function corpusOf(name: string): ReadonlyMap<string, Buffer> {
  const folder = join(CORPUS, name);
  const files = readdirSync(folder).sort();
  if (files.length === 0) throw new Error(`${folder} has no samples`);
  return new Map(files.map((file) => [file, readFileSync(join(folder, file))]));
}

/** Most inputs that are changed further. */
const MAX_POOL = 400;

export interface FuzzOutcome {
  /** Different signatures. */
  readonly signatures: number;
  readonly inputs: number;
}

/** @throws {Error} at the first input for which the target throws; the input is kept below .data/fuzz */
export async function fuzz(target: FuzzTarget, { seed, runs }: FuzzSettings = FUZZ): Promise<FuzzOutcome> {
  const pool = [...corpusOf(target.name).values()];
  const seen = new Set<string>();
  for (const sample of pool) seen.add(await looked(target, sample, "a sample of the corpus"));
  const chance = new Chance(seed, `fuzz ${target.name}`);
  for (let n = 0; n < runs; n += 1) {
    const input = mutated(chance.pick(pool), chance, pool);
    const signature = await looked(target, input, `input ${n} of seed ${seed}`);
    if (seen.has(signature)) continue;
    seen.add(signature);
    if (pool.length < MAX_POOL) pool.push(input);
  }
  return { signatures: seen.size, inputs: pool.length };
}

async function looked(target: FuzzTarget, input: Buffer, what: string): Promise<string> {
  try {
    return await target.look(Buffer.from(input));
  } catch (cause) {
    const file = `${target.name}-${Bun.hash.crc32(input).toString(16)}`;
    mkdirSync(FOUND, { recursive: true });
    writeFileSync(join(FOUND, file), input);
    const shown = JSON.stringify(input.subarray(0, 200).toString("latin1"));
    throw new Error(
      `${target.name}: ${what} breaks a property: ${(cause as Error).message}\n${shown}\nIt is kept as .data/fuzz/${file}; mend the cause and move it to tests/support/fuzz/corpus/${target.name}`,
      { cause },
    );
  }
}
