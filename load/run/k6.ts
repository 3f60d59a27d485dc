/** k6 as a child process: the plan in, its summary and the record of all batches out. */
import { chmod, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { ROOT } from "../../src/commands/environment.ts";
import type { Plan } from "../k6/plan.ts";
import { readRecord, type SentBatch } from "./record.ts";

/** k6's exit codes (go.k6.io/k6/errext/exitcodes). */
const FINE = 0;
const THRESHOLDS_CROSSED = 99;
const STOP_DEADLINE_MS = 10_000;

export interface Threshold {
  readonly metric: string;
  /** As the scenario has it: `p(95)<50`. */
  readonly rule: string;
  readonly ok: boolean;
}

export interface K6Run {
  readonly version: string;
  readonly sent: readonly SentBatch[];
  /** Values of k6's metrics: `metrics.accept_ms["p(95)"]`. */
  readonly metrics: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly thresholds: readonly Threshold[];
  /** Processor time of k6, s, and the length of the run. */
  readonly cpu_s: number;
  readonly elapsed_s: number;
}

interface Summary {
  readonly metrics: Readonly<
    Record<
      string,
      {
        readonly values: Record<string, number>;
        readonly thresholds?: Record<string, { readonly ok: boolean }>;
      }
    >
  >;
}

/**
 * Run k6 to its end.
 * @param dir for the plan, the record and the summary
 * @throws {Error} when k6 could not do it; its own words are on standard error @throws the reason of `stop`
 */
export async function runK6(
  k6: string,
  dir: string,
  plan: Omit<Plan, "summary_path">,
  stop: AbortSignal,
): Promise<K6Run> {
  await mkdir(dir, { recursive: true });
  const file = (name: string) => join(dir, name);
  const [planPath, recordPath, summary_path] = [file("plan.json"), file("record.txt"), file("summary.json")];
  for (const path of [planPath, recordPath, summary_path]) await Bun.file(path).delete().catch(ifThere);
  await Bun.write(planPath, JSON.stringify({ ...plan, summary_path } satisfies Plan));
  // It holds tokens.
  await chmod(planPath, 0o600);
  const options = ["--quiet", "--no-usage-report", "--log-format", "raw", "--console-output", recordPath];
  const begin = performance.now();
  const child = Bun.spawn(
    [k6, "run", "--address", "", ...options, "-e", `PLAN=${planPath}`, join(ROOT, "load/k6/main.ts")],
    { cwd: ROOT, stdio: ["ignore", "ignore", "inherit"], env: { ...process.env, NO_COLOR: "1" } },
  );
  const code = await untilEnded(child, stop).finally(() => Bun.file(planPath).delete());
  const elapsed_s = (performance.now() - begin) / 1000;
  if (code !== FINE && code !== THRESHOLDS_CROSSED) throw new Error(`k6 ended with exit code ${code}`);
  const { metrics } = (await Bun.file(summary_path).json()) as Summary;
  return {
    version: versionOf(k6),
    sent: readRecord(await Bun.file(recordPath).text()),
    metrics: Object.fromEntries(Object.entries(metrics).map(([name, { values }]) => [name, values])),
    thresholds: Object.entries(metrics).flatMap(([metric, { thresholds = {} }]) =>
      Object.entries(thresholds).map(([rule, { ok }]) => ({ metric, rule, ok })),
    ),
    cpu_s: Number(child.resourceUsage()?.cpuTime.total ?? 0) / 1e6,
    elapsed_s,
  };
}

/** Interrupted: k6 ends on SIGINT within its own time, or is killed. */
async function untilEnded(child: Bun.Subprocess, stop: AbortSignal): Promise<number> {
  let killing: Timer | undefined;
  const onStop = () => {
    child.kill("SIGINT");
    killing = setTimeout(() => child.kill("SIGKILL"), STOP_DEADLINE_MS);
  };
  stop.addEventListener("abort", onStop);
  if (stop.aborted) onStop();
  try {
    const code = await child.exited;
    stop.throwIfAborted();
    return code;
  } finally {
    clearTimeout(killing);
    stop.removeEventListener("abort", onStop);
  }
}

function ifThere(error: NodeJS.ErrnoException): void {
  if (error.code !== "ENOENT") throw error;
}

/** `v1.8.1` */
function versionOf(k6: string): string {
  const text = Bun.spawnSync([k6, "version"]).stdout.toString();
  return /v\d+\.\d+\.\d+/.exec(text)?.[0] ?? "unknown";
}
