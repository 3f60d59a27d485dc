/** Prometheus metrics of the stream, asked of Redis at each scrape. */
import { Gauge, type Registry } from "prom-client";
import { StreamUnavailableError } from "./connection.ts";
import type { StreamHealth } from "./health.ts";

/** Registers the gauges; while Redis is away they keep their last values and `hydraulic_redis_up` is 0. */
export function streamMetrics(registry: Registry, health: StreamHealth): void {
  const registers = [registry];
  const gauge = (name: string, help: string) => new Gauge({ name, help, registers });
  const entries = gauge("hydraulic_stream_entries", "Batches accepted and not finished");
  const waiting = gauge("hydraulic_stream_lag_entries", "Of these, batches that no thread has taken yet");
  const tooNew = gauge(
    "hydraulic_stream_too_new_entries",
    "Batches in a form that only workers of a newer program can read: they wait for one",
  );
  const bytes = gauge("hydraulic_stream_bytes", "Bytes of their bodies");
  const fill = gauge(
    "hydraulic_backlog_fill_ratio",
    "Fullest partition: entries or bytes as a share of their bound; at 1 batches are refused",
  );
  const dead = gauge("hydraulic_dead_letter_entries", "Dead letters waiting for a replay");
  new Gauge({
    name: "hydraulic_redis_up",
    help: "1 when Redis takes writes",
    registers,
    async collect() {
      try {
        const state = await health.probe();
        entries.set(state.entries);
        waiting.set(Math.max(0, state.entries - state.pending));
        tooNew.set(state.too_new);
        bytes.set(state.bytes);
        fill.set(state.fill);
        dead.set(state.dead_letters);
        this.set(1);
      } catch (error) {
        if (!(error instanceof StreamUnavailableError)) throw error;
        this.set(0);
      }
    },
  });
}
