/** Metrics of the outside identity provider's keys. */
import { Counter, Gauge, type Registry } from "prom-client";

/** @returns to be told the outcome of each look */
export function providerMetrics(metrics: Registry, age_ms: () => number): (ok: boolean) => void {
  new Gauge({
    name: "identity_provider_keys_age_seconds",
    help: "Since the keys of the outside identity provider were last read; what was read last goes on",
    registers: [metrics],
    collect() {
      this.set(age_ms() / 1000);
    },
  });
  const looks = new Counter({
    name: "identity_provider_looks_total",
    help: "Looks for the keys of the outside identity provider",
    labelNames: ["outcome"],
    registers: [metrics],
  });
  return (ok) => looks.inc({ outcome: ok ? "read" : "failed" });
}
