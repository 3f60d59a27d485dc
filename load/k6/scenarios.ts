/**
 * The scenarios: what is sent at what pace, and the bounds that fail a run. Pure: k6 takes its options from here, the
 * command its list, its default lengths and the bounds of what k6 does not see.
 */
import type { Options } from "k6/options";
import type { ScenarioName } from "./plan.ts";
import { QUESTIONS } from "./questions.ts";

/** Bounds that the command judges; k6 judges its own. */
export interface Bounds {
  /** From acceptance until the job's rows are stored, 95 of 100 jobs, ms. */
  readonly stored_p95_ms?: number;
  /** Memory of the service's processes at the end, as a share of what it was in minute 5. */
  readonly memory_growth?: number;
  /** The rate that a ramp must reach within its bounds, rows/s. */
  readonly knee_rows_per_s?: number;
}

export interface Scenario {
  /** For the list of --help. */
  readonly title: string;
  readonly default_s: number;
  /** Readings in a request. */
  readonly batch: number;
  /** Rigs that send, a user each until the users are used up. */
  readonly rigs: number;
  readonly faults: boolean;
  /** Rows a second, one step after the other; null: as fast as answers come. */
  readonly pace: readonly number[] | null;
  readonly bounds: Bounds;
  /** k6's own thresholds. */
  readonly thresholds: Readonly<Record<string, readonly string[]>>;
  /** Beside the batches: look after each job until it ends; ask what the console asks. */
  readonly follows: boolean;
  readonly looks: boolean;
}

/** Users of a console who ask at the same time, and requests that one connection has under way. */
const LOOKERS = 4;
const MAX_VUS = 64;
/** Of them, ready from the start, which takes each a moment: a steady pace needs no more. */
const READY_VUS = 16;
/** A request is given up after this; a run waits longer, so that every request comes to an end. */
export const REQUEST_TIMEOUT_S = 20;
const GRACE = "30s";
const FLOOR = 10_000;

/** Nothing is refused or lost, and answers come fast: nearly all that was to be sent was sent. */
const paced = (rows_per_s: number, accept_p95_ms = 50) => ({
  errors: ["count==0"],
  accept_ms: [`p(95)<${accept_p95_ms}`],
  rows_accepted: [`rate>=${rows_per_s * 0.97}`],
});

const PLAIN = { rigs: 8, faults: false, follows: false, looks: false } as const;

export const SCENARIOS: Readonly<Record<ScenarioName, Scenario>> = {
  smoke: {
    ...PLAIN,
    title: "2,000 rows/s: does it all work?",
    default_s: 5,
    batch: 200,
    pace: [2_000],
    bounds: { stored_p95_ms: 5_000 },
    // On any machine, also on one that runs a test suite at the same time.
    thresholds: { errors: ["count==0"], accept_ms: ["p(95)<1000"], rows_accepted: ["count>0"] },
  },
  steady: {
    ...PLAIN,
    title: "10,000 rows/s by eight users",
    default_s: 60,
    batch: 1_000,
    pace: [FLOOR],
    bounds: { stored_p95_ms: 100 },
    thresholds: paced(FLOOR),
  },
  ramp: {
    ...PLAIN,
    title: "faster and faster, to the knee: the last rate at which accept p95 and backlog stay in bounds",
    default_s: 100,
    batch: 1_000,
    pace: [10_000, 20_000, 40_000, 70_000, 100_000, 150_000, 200_000, 250_000, 300_000, 400_000],
    bounds: { knee_rows_per_s: FLOOR },
    // Beyond the knee requests may be refused; what was accepted must be there all the same.
    thresholds: { rows_accepted: [`rate>=${FLOOR}`] },
  },
  small: {
    ...PLAIN,
    title: "requests of 100 readings on 64 connections, as fast as answers come",
    default_s: 30,
    batch: 100,
    rigs: MAX_VUS,
    pace: null,
    bounds: { stored_p95_ms: 5_000 },
    thresholds: { errors: ["count==0"], accept_ms: ["p(95)<100"], rows_accepted: [`rate>=${FLOOR}`] },
  },
  mixed: {
    ...PLAIN,
    title: "10,000 rows/s, each job followed to its end, and four people at the console",
    default_s: 60,
    batch: 1_000,
    pace: [FLOOR],
    bounds: { stored_p95_ms: 100 },
    follows: true,
    looks: true,
    thresholds: {
      ...paced(FLOOR),
      job_ended_ms: ["p(95)<1000"],
      ...Object.fromEntries(QUESTIONS.map(({ name }) => [`look_ms{question:${name}}`, ["p(95)<100"]])),
      look_errors: ["count==0"],
    },
  },
  bad: {
    ...PLAIN,
    title: "10,000 rows/s, 5 % of them bad in every way: exact counters",
    default_s: 30,
    batch: 1_000,
    faults: true,
    pace: [FLOOR],
    bounds: { stored_p95_ms: 1_000 },
    thresholds: paced(FLOOR),
  },
  soak: {
    ...PLAIN,
    title: "20,000 rows/s: does memory grow? (--minutes)",
    default_s: 1_800,
    batch: 1_000,
    pace: [2 * FLOOR],
    bounds: { stored_p95_ms: 500, memory_growth: 1.05 },
    thresholds: paced(2 * FLOOR),
  },
};

type K6Scenario = NonNullable<Options["scenarios"]>[string];

/** k6's options for a run of so many seconds. */
export function optionsOf(scenario: Scenario, seconds: number): Options {
  const { thresholds, looks } = scenario;
  const asking: Record<string, K6Scenario> = looks
    ? {
        look: {
          executor: "constant-vus",
          exec: "look",
          vus: LOOKERS,
          duration: `${seconds}s`,
          gracefulStop: GRACE,
        },
      }
    : {};
  return {
    discardResponseBodies: true,
    // No bound asks for others, and each costs k6 time with every request.
    systemTags: ["name"],
    summaryTrendStats: ["p(50)", "p(95)", "p(99)", "max"],
    thresholds: Object.fromEntries(Object.entries(thresholds).map(([name, rules]) => [name, [...rules]])),
    scenarios: { ingest: ingestOf(scenario, seconds), ...asking },
  };
}

function ingestOf({ pace, batch }: Scenario, seconds: number): K6Scenario {
  const common = { exec: "ingest", gracefulStop: GRACE };
  if (pace === null) return { ...common, executor: "constant-vus", vus: MAX_VUS, duration: `${seconds}s` };
  const [only, ...others] = pace;
  const vus = { preAllocatedVUs: others.length === 0 ? READY_VUS : MAX_VUS, maxVUs: MAX_VUS };
  if (others.length === 0) {
    return {
      ...common,
      ...vus,
      executor: "constant-arrival-rate",
      rate: only! / batch,
      duration: `${seconds}s`,
    };
  }
  // A step begins at once, then holds.
  const stages = pace.flatMap((rows_per_s) => [
    { target: rows_per_s / batch, duration: "0s" },
    { target: rows_per_s / batch, duration: `${step_s(pace, seconds)}s` },
  ]);
  return { ...common, ...vus, executor: "ramping-arrival-rate", startRate: only! / batch, stages };
}

/** Length of one step of a ramp, s. */
export function step_s(pace: readonly number[], seconds: number): number {
  return Math.max(1, Math.floor(seconds / pace.length));
}
