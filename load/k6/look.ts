/** People at the console: one question after the other, at the pace of a person. */
import { sleep } from "k6";
import http from "k6/http";
import { Counter, Trend } from "k6/metrics";
import type { Plan } from "./plan.ts";
import { QUESTIONS } from "./questions.ts";

const PAUSE_S = 0.2;
const NOT_FOUND = 404;

const look_ms = new Trend("look_ms", true);
const lookErrors = new Counter("look_errors");

/** @param turn counts on over all people */
export function lookAround(plan: Plan, rigs: number, turn: number): void {
  const open = QUESTIONS.filter(({ oversight }) => !oversight || plan.reader_token !== null);
  const { name, path, ofSensor } = open[turn % open.length]!;
  const token = plan.reader_token ?? plan.tokens[0]!;
  const answer = http.get(plan.url + path(plan, turn % rigs, turn), {
    headers: { Authorization: `Bearer ${token}` },
    tags: { name: "look" },
  });
  if (answer.status === 200) look_ms.add(answer.timings.duration, { question: name });
  else if (answer.status !== NOT_FOUND || !ofSensor) lookErrors.add(1);
  sleep(PAUSE_S);
}
