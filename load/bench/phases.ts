/** The runs that are compared with raw COPY: what is sent, and what must be true then. */
import type { Dataset } from "./dataset.ts";
import { type Bench, checkRun, flatOut, type HttpRun, requestsOf, writesOf } from "./http-runs.ts";
import { lateRun } from "./late.ts";
import type { BenchOptions, HttpPhase } from "./options.ts";
import { startAfresh, untilMirrored } from "./tables.ts";

/** Requests are made once, before the first clock starts. */
export type PhaseRuns = Partial<Record<HttpPhase, () => Promise<HttpRun>>>;

export function phaseRuns(bench: Bench, options: BenchOptions, data: Dataset): PhaseRuns {
  const { large, small } = options;
  const { service } = bench;
  const make: Record<HttpPhase, () => () => Promise<HttpRun>> = {
    large: () => plain(bench, data, requestsOf(service, data.bodies(large.batch)), large.connections),
    lines: () => plain(bench, data, writesOf(service, data, large.batch), large.connections),
    conflicts: () => contradicted(bench, data, large),
    small: () => plain(bench, data, requestsOf(service, data.bodies(small.batch)), small.connections),
    late: () => lateRun(bench, options),
  };
  return Object.fromEntries(options.http.map((phase) => [phase, make[phase]()]));
}

function plain(bench: Bench, data: Dataset, requests: readonly Buffer[], connections: number) {
  const check = () => checkRun(bench.stack, data, requests.length);
  return async () => {
    await startAfresh(bench.stack.sql);
    return flatOut(bench, data.shape.rows, requests, connections, check);
  };
}

/** In every batch one reading in a hundred is stored already, and one in a hundred contradicts what is stored. */
function contradicted(bench: Bench, data: Dataset, { batch, connections }: BenchOptions["large"]) {
  const before = requestsOf(bench.service, data.storedBefore(batch));
  const requests = requestsOf(bench.service, data.contradicting(batch));
  const repeats = data.contradictions();
  const jobs = before.length + requests.length;
  const stored = repeats.identical + repeats.conflicting;
  return async () => {
    await startAfresh(bench.stack.sql);
    await flatOut(bench, stored, before, connections, () => untilMirrored(bench.stack.redis));
    const check = () => checkRun(bench.stack, data, jobs, repeats);
    return flatOut(bench, data.shape.rows, requests, connections, check);
  };
}
