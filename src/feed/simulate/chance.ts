/** Seeded chance: the same seed and purpose give the same numbers everywhere. */
import { createHash } from "node:crypto";

const UINT32 = 4_294_967_296;

/** xoshiro128** 1.1 (Blackman and Vigna, "Scrambled Linear Pseudorandom Number Generators", 2021). */
export class Chance {
  #a: number;
  #b: number;
  #c: number;
  #d: number;
  /** The second number of the last Box-Muller pair. */
  #spare: number | null = null;

  /** @param purpose keeps the sequences of different users of one seed apart */
  constructor(seed: number, purpose: string) {
    const hash = createHash("sha256").update(`${seed}:${purpose}`).digest();
    this.#a = hash.readInt32LE(0);
    this.#b = hash.readInt32LE(4);
    this.#c = hash.readInt32LE(8);
    this.#d = hash.readInt32LE(12) | 1;
  }

  /** Evenly from 0 to below 1. */
  uniform(): number {
    const scrambled = Math.imul(rotate(Math.imul(this.#b, 5), 7), 9);
    const t = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= t;
    this.#d = rotate(this.#d, 11);
    return (scrambled >>> 0) / UINT32;
  }

  between(min: number, max: number): number {
    return min + (max - min) * this.uniform();
  }

  /** A whole number from 0 to below `n`. */
  below(n: number): number {
    return Math.floor(this.uniform() * n);
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)]!;
  }

  /** Normally distributed, mean 0, standard deviation 1 (Box-Muller). */
  normal(): number {
    if (this.#spare !== null) {
      const spare = this.#spare;
      this.#spare = null;
      return spare;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    const angle = 2 * Math.PI * this.uniform();
    this.#spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }
}

function rotate(x: number, bits: number): number {
  return (x << bits) | (x >>> (32 - bits));
}
