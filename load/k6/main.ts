/** The script that k6 runs: one for all scenarios; PLAN is the path of the plan. */
import exec from "k6/execution";
import { follow } from "./follow.ts";
import { lookAround } from "./look.ts";
import type { Plan } from "./plan.ts";
import { optionsOf, SCENARIOS } from "./scenarios.ts";
import { Sender } from "./send.ts";

const plan = JSON.parse(open(__ENV.PLAN!)) as Plan;
const scenario = SCENARIOS[plan.scenario];
const sender = new Sender(plan, scenario);

// Before the clock starts. VU 0 is k6's first look at the script.
if (__VU > 0)
  sender.prepare(
    scenario.pace === null ? [__VU - 1] : Array.from({ length: scenario.rigs }, (_, rig) => rig),
  );

export const options = optionsOf(scenario, plan.seconds);

export function ingest(): void {
  const [rig, n] = nextBatch();
  const accepted = sender.send(rig, n);
  if (scenario.follows && accepted) follow(plan, rig, accepted);
}

/** No two are the same. As fast as answers come, each connection is a rig; at a pace, rigs take turns. */
function nextBatch(): [rig: number, n: number] {
  const { pace, rigs } = scenario;
  if (pace === null) return [exec.vu.idInTest - 1, exec.vu.iterationInScenario];
  const iteration = exec.scenario.iterationInTest;
  return [iteration % rigs, Math.floor(iteration / rigs)];
}

export function look(): void {
  lookAround(plan, scenario.rigs, exec.scenario.iterationInTest);
}

export function handleSummary(data: unknown): Record<string, string> {
  return { [plan.summary_path]: JSON.stringify(data) };
}
