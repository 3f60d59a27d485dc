/** One batch over HTTP: what became of it is counted, and written down for the check. */
import http from "k6/http";
import { Counter, Trend } from "k6/metrics";
import { Bodies } from "./bodies.ts";
import { type Plan, tokenOf } from "./plan.ts";
import { REQUEST_TIMEOUT_S, type Scenario } from "./scenarios.ts";

const ACCEPTED = 202;
const JOB_ID = /([0-9a-f-]{36})\/?$/;

const accept_ms = new Trend("accept_ms", true);
const rowsAccepted = new Counter("rows_accepted");
/** Requests that were not accepted: refused or without an answer. */
const errors = new Counter("errors");

export class Sender {
  readonly #bodies: Bodies;
  readonly #params: { headers: Record<string, string>; timeout: string; tags: { name: string } }[];

  constructor(
    private readonly plan: Plan,
    private readonly scenario: Pick<Scenario, "batch" | "faults" | "rigs">,
  ) {
    this.#bodies = new Bodies({ ...plan, ...scenario });
    this.#params = Array.from({ length: scenario.rigs }, (_, rig) => ({
      headers: { "Content-Type": "application/json", Authorization: `Bearer ${tokenOf(plan, rig)}` },
      timeout: `${REQUEST_TIMEOUT_S}s`,
      tags: { name: "ingest" },
    }));
  }

  /** Make the texts of rigs now instead of with their first batches. */
  prepare(rigs: readonly number[]): void {
    for (const rig of rigs) this.#bodies.body(rig, 0);
  }

  /** @returns the job's id, or null when the batch was not accepted */
  send(rig: number, n: number): string | null {
    const body = this.#bodies.body(rig, n);
    const at_ms = Date.now();
    const { status, headers, timings } = http.post(
      `${this.plan.url}/api/v1/data/ingest`,
      body,
      this.#params[rig],
    );
    // With what it took to connect and to wait for a free connection.
    const took_ms = timings.duration + timings.blocked;
    const job_id = status === ACCEPTED ? (JOB_ID.exec(headers.Location ?? "")?.[1] ?? null) : null;
    if (job_id === null) errors.add(1);
    else {
      accept_ms.add(took_ms);
      rowsAccepted.add(this.scenario.batch);
    }
    // A line for each batch; see run/record.ts.
    console.log(`${rig} ${n} ${status} ${at_ms} ${took_ms.toFixed(1)} ${job_id ?? "-"}`);
    return job_id;
  }
}
