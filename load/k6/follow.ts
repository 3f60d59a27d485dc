/** A producer who asks for a job until it has ended. */
import { sleep } from "k6";
import http from "k6/http";
import { Counter, Trend } from "k6/metrics";
import { type Plan, tokenOf } from "./plan.ts";

const PAUSE_S = 0.05;
const MAX_LOOKS = 200;

/** From acceptance until an answer said that the job has ended. */
const jobEnded_ms = new Trend("job_ended_ms", true);
const lookErrors = new Counter("look_errors");

export function follow(plan: Plan, rig: number, job_id: string): void {
  const begun = Date.now();
  const params = {
    headers: { Authorization: `Bearer ${tokenOf(plan, rig)}` },
    tags: { name: "job" },
    responseType: "text" as const,
  };
  for (let look = 0; look < MAX_LOOKS; look += 1) {
    const answer = http.get(`${plan.url}/api/v1/jobs/${job_id}/`, params);
    if (answer.status !== 200) {
      lookErrors.add(1);
      return;
    }
    if ((answer.body as string).includes('"is_completed":true')) {
      jobEnded_ms.add(Date.now() - begun);
      return;
    }
    sleep(PAUSE_S);
  }
  lookErrors.add(1);
}
