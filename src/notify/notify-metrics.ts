/** Prometheus metrics of webhooks. Only the leader's figures move; the gauges of the others are 0. */
import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import type { OutboxFigures } from "../store/webhooks/upkeep.ts";

/** What the dispatcher tells; the metrics listen. */
export interface DispatchReport {
  onLeading(leading: boolean): void;
  onAttempt(result: string, ms: number): void;
  /** @param full webhooks for which noting has just stopped */
  onFigures(figures: OutboxFigures, full: number): void;
  onDisabled(reason: string): void;
}

const LATENCY_BUCKETS_S = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15];

/** Registers the metrics and returns what the dispatcher reports to. */
export function notifyMetrics(registry: Registry): DispatchReport {
  return { ...outboxMetrics(registry), onAttempt: attemptMetrics(registry) };
}

/** What waits, and for which webhooks nothing does any more. */
function outboxMetrics(registry: Registry): Omit<DispatchReport, "onAttempt"> {
  const registers = [registry];
  const gauge = (name: string, help: string) => new Gauge({ name, help, registers });
  const leading = gauge("hydraulic_webhook_dispatching", "1 while this process sends webhooks");
  const pending = gauge("hydraulic_webhook_pending", "Deliveries that wait");
  const oldest = gauge("hydraulic_webhook_oldest_pending_seconds", "Age of the oldest delivery that waits");
  const disabled = gauge("hydraulic_webhook_disabled", "Webhooks that are told nothing");
  const overflowing = gauge("hydraulic_webhook_overflowing", "Webhooks for which nothing more is noted");
  const overflows = new Counter({
    name: "hydraulic_webhook_overflows_total",
    help: "Times that so many deliveries of a webhook waited that noting stopped",
    registers,
  });
  const ends = new Counter({
    name: "hydraulic_webhook_disabled_total",
    help: "Webhooks disabled by the service, by reason",
    labelNames: ["reason"],
    registers,
  });
  return {
    onLeading(isLeading) {
      leading.set(isLeading ? 1 : 0);
      if (!isLeading) for (const figure of [pending, oldest, disabled, overflowing]) figure.set(0);
    },
    onFigures(figures, full) {
      pending.set(figures.pending);
      oldest.set(figures.oldest_s);
      disabled.set(figures.disabled);
      overflowing.set(figures.overflowing);
      overflows.inc(full);
    },
    onDisabled: (reason) => ends.inc({ reason }),
  };
}

function attemptMetrics(registry: Registry): DispatchReport["onAttempt"] {
  const registers = [registry];
  const attempts = new Counter({
    name: "hydraulic_webhook_attempts_total",
    help: "Attempts by result: delivered, retried (failed, tried again), given_up (failed for the last time), gone (410)",
    labelNames: ["result"],
    registers,
  });
  const duration = new Histogram({
    name: "hydraulic_webhook_attempt_seconds",
    help: "Length of attempts, whatever their result",
    buckets: LATENCY_BUCKETS_S,
    registers,
  });
  return (result, ms) => {
    attempts.inc({ result });
    duration.observe(ms / 1000);
  };
}
