/** Prometheus metrics of the wait for replicas. */
import { Counter, Histogram, type Registry } from "prom-client";
import type { ReplicaAnswer } from "./replicas.ts";

const BUCKETS_S = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 2.5];

/** Registers them. @returns counts one answer */
export function replicaMetrics(registry: Registry): (answer: ReplicaAnswer) => void {
  const registers = [registry];
  const wait = new Histogram({
    name: "hydraulic_replica_wait_seconds",
    help: "Until enough replicas of Redis had what all batches of one question wrote",
    buckets: BUCKETS_S,
    registers,
  });
  const refused = new Counter({
    name: "hydraulic_replica_refusals_total",
    help: "Questions that found too few replicas of Redis; the batches that waited for them were answered with 503",
    registers,
  });
  return ({ took_ms, confirmed }) => {
    if (confirmed) wait.observe(took_ms / 1_000);
    else refused.inc();
  };
}
