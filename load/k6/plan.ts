/** What a run hands over to k6, as a JSON file: tokens do not belong on a command line. Pure: Bun reads it too. */

export interface Plan {
  readonly scenario: ScenarioName;
  /** Without a slash at the end. */
  readonly url: string;
  /** The registered system that the batches belong to. */
  readonly system_id: string;
  /** A whole number below 2³²: sensors, values and unknown systems are made from it, so no two runs share any. */
  readonly run: number;
  /** Second (since the epoch) of every rig's first batch. */
  readonly start_s: number;
  /** Length of the run, s. */
  readonly seconds: number;
  /** Access tokens of the users who send, at least one. */
  readonly tokens: readonly string[];
  /** Of somebody who may read everybody's work; null: only what every user may read is asked. */
  readonly reader_token: string | null;
  /** Where k6 leaves its summary. */
  readonly summary_path: string;
}

/** The user who sends the batches of a rig: jobs are visible to their own users only. */
export function tokenOf({ tokens }: Pick<Plan, "tokens">, rig: number): string {
  return tokens[rig % tokens.length]!;
}

export const SCENARIO_NAMES = ["smoke", "steady", "ramp", "small", "mixed", "bad", "soak"] as const;

export type ScenarioName = (typeof SCENARIO_NAMES)[number];
