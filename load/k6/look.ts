/** What the pages of the console ask while somebody looks at them, one question after the other. */
import { sleep } from "k6";
import http from "k6/http";
import { Counter, Trend } from "k6/metrics";
import type { Plan } from "./plan.ts";
import { SENSORS, sensorId } from "./rig.ts";
import { SCENARIOS } from "./scenarios.ts";

/** A person's pace: a page asks several things, then is read. */
const PAUSE_S = 0.2;
const HOUR_S = 3_600;

const look_ms = new Trend("look_ms", true);
const lookErrors = new Counter("look_errors");

const text = (time_s: number) => new Date(time_s * 1000).toISOString();

/** What every user may ask; sensors exist once their first readings are stored. */
function questionsOf(plan: Plan, turn: number): string[] {
  const { run, start_s, system_id } = plan;
  const sensor = sensorId(run, turn % SCENARIOS[plan.scenario].rigs, turn % SENSORS);
  const system = `/api/v1/systems/${system_id}`;
  const range = `from=${text(start_s)}&to=${text(start_s + HOUR_S)}`;
  return [
    "/api/v1/jobs?limit=50",
    `${system}/latest`,
    `${system}/series?sensors=${sensor}&${range}`,
    `${system}/sensors/${sensor}/readings?${range}&limit=1000`,
    `${system}/sensors?limit=100`,
    `${system}/hourly?${range}`,
  ];
}

/** What those may ask who look after everybody's batches. */
const OVERSIGHT = ["/api/v1/overview", "/api/v1/quarantine/incidents?limit=50", "/api/v1/quarantine/counts"];

export function lookAround(plan: Plan, turn: number): void {
  const questions = [...questionsOf(plan, turn), ...(plan.reader_token === null ? [] : OVERSIGHT)];
  const path = questions[turn % questions.length]!;
  const token = plan.reader_token ?? plan.tokens[0]!;
  const answer = http.get(plan.url + path, {
    headers: { Authorization: `Bearer ${token}` },
    tags: { name: "look" },
  });
  // 404: a sensor that has no stored readings yet.
  if (answer.status === 200) look_ms.add(answer.timings.duration);
  else if (answer.status !== 404 || !path.includes(`/systems/`)) lookErrors.add(1);
  sleep(PAUSE_S);
}
