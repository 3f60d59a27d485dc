/** The readings of one batch, taken out of its body and not yet judged. */
import { type Naming, type SeenReading, seenReading } from "./naming.ts";
import { type BatchRules, judgeValues } from "./rules.ts";

export interface BatchReadings {
  readonly length: number;
  /** As it was sent: what the quarantine keeps. */
  raw(ordinal: number): unknown;
  /** As the rules see it; undefined when no sensor can be found in it. */
  seen(ordinal: number, naming: Naming): SeenReading | undefined;
  /** Judge every reading, each exactly once and in order. */
  judge(rules: BatchRules): void;
}

/** Readings that came as values of unknown shape: JSON, NDJSON, CSV. */
export class ValueReadings implements BatchReadings {
  constructor(private readonly values: readonly unknown[]) {}

  get length(): number {
    return this.values.length;
  }

  raw(ordinal: number): unknown {
    return this.values[ordinal];
  }

  seen(ordinal: number, naming: Naming): SeenReading | undefined {
    return seenReading(this.values[ordinal], naming);
  }

  judge(rules: BatchRules): void {
    judgeValues(this.values, rules);
  }
}
