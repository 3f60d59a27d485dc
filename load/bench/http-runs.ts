/** All rows over HTTP as fast as the service takes them, until the last one is committed. */
import { Histogram } from "../../src/feed/histogram.ts";
import type { CpuMeter, CpuTimes } from "./cpu.ts";
import { spent } from "./cpu.ts";
import type { Dataset } from "./dataset.ts";
import { Connection, postRequest } from "./http-connection.ts";
import type { Service } from "./service.ts";
import type { Stack } from "./stack.ts";
import { type StageTimes, stagesBetween } from "./stages.ts";
import {
  checkJobs,
  checkReadings,
  SERVICE_TABLE,
  untilDrained,
  untilMirrored,
  WrongDataError,
} from "./tables.ts";

export const INGEST_PATH = "/api/v1/data/ingest";
const WRITE_PATH = "/api/v2/write";
const ACCEPTED: readonly number[] = [202, 204];

import { readCounters, type Volume, volumeSince } from "./volume.ts";

/** ms */
export interface Latency {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

export interface HttpRun {
  readonly rows: number;
  readonly requests: number;
  /** From the first request to the last 202, and to the end of the last commit; ms. */
  readonly accepted_ms: number;
  readonly committed_ms: number;
  readonly rows_per_s: number;
  readonly accept: Latency;
  readonly stages: StageTimes;
  readonly cpu: CpuTimes;
  /** Results of before have none. */
  readonly volume?: Volume;
}

export interface Bench {
  readonly stack: Stack;
  readonly service: Service;
  readonly meter: CpuMeter;
}

export function latencyOf(histogram: Histogram): Latency {
  const at = (q: number) => Math.round((histogram.quantile(q) ?? 0) * 10) / 10;
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99) };
}

/** A request for each body, spread over the users; made before the clock starts. */
export function requestsOf(service: Service, bodies: Iterable<Buffer>): Buffer[] {
  const host = `${service.host}:${service.port}`;
  return Array.from(bodies, (body, i) =>
    postRequest(host, INGEST_PATH, service.tokens[i % service.tokens.length]!, body),
  );
}

/** The same in line protocol. */
export function writesOf(service: Service, data: Dataset, batch: number): Buffer[] {
  const host = `${service.host}:${service.port}`;
  const path = `${WRITE_PATH}?bucket=${data.shape.system_id}`;
  return Array.from(data.lines(batch), (body, i) =>
    postRequest(host, path, service.tokens[i % service.tokens.length]!, body, "text/plain; charset=utf-8"),
  );
}

/** @throws {WrongDataError} when a batch is refused: the tables could not hold what was sent */
export function expectAccepted({ status, body }: { status: number; body: string }): void {
  if (!ACCEPTED.includes(status)) throw new WrongDataError(`a batch was answered with ${status}: ${body}`);
}

/**
 * Send every request over `connections`, each the next one when the one before is answered.
 * @param rows readings of all requests together
 * @param check what must be true afterwards
 */
export async function flatOut(
  { stack, service, meter }: Bench,
  rows: number,
  requests: readonly Buffer[],
  connections: number,
  check: () => Promise<void>,
): Promise<HttpRun> {
  const open = await Promise.all(
    Array.from({ length: connections }, () => Connection.open(service.host, service.port)),
  );
  const accept = new Histogram();
  const metrics = await service.metrics();
  const counters = await readCounters(stack.sql, stack.redis);
  const cpu = await meter.read();
  const begin = performance.now();
  let next = 0;
  const send = async (connection: Connection) => {
    while (next < requests.length) {
      const request = requests[next++]!;
      const sent = performance.now();
      expectAccepted(await connection.send(request));
      accept.add(performance.now() - sent);
    }
  };
  await Promise.all(open.map(send));
  const accepted_ms = performance.now() - begin;
  await untilDrained(stack.redis);
  const committed_ms = performance.now() - begin;
  const used = spent(cpu, await meter.read());
  const stages = stagesBetween(metrics, await service.metrics());
  const volume = await volumeSince(counters, stack.sql, stack.redis, requests);
  for (const connection of open) connection.close();
  await check();
  return {
    rows,
    requests: requests.length,
    accepted_ms: Math.round(accepted_ms),
    committed_ms: Math.round(committed_ms),
    rows_per_s: Math.round((rows / committed_ms) * 1000),
    accept: latencyOf(accept),
    stages,
    cpu: used,
    volume,
  };
}

/**
 * @param repeats readings that were sent beside those of the dataset
 * @throws {WrongDataError}
 */
export async function checkRun(
  stack: Stack,
  data: Dataset,
  jobs: number,
  repeats = { identical: 0, conflicting: 0 },
): Promise<void> {
  await untilMirrored(stack.redis);
  const { rows } = data.shape;
  const { identical: duplicate, conflicting: quarantined } = repeats;
  const total = rows + duplicate + quarantined;
  await checkJobs(stack.sql, { jobs, total, inserted: rows, duplicate, quarantined });
  await checkReadings(stack.sql, SERVICE_TABLE, data);
}
