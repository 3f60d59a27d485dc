/** Prometheus metrics of accepted batches. What became of their readings is counted where they are judged. */
import { Counter, type Registry } from "prom-client";
import type { BodyFormat } from "../../contract/formats/body-format.ts";

export class BatchMetrics {
  readonly #batches: Counter<"format">;
  readonly #readings: Counter<"format">;

  /** Adds its metrics to `registry`; a registry takes one `BatchMetrics`. */
  constructor(registry: Registry) {
    this.#batches = new Counter({
      name: "hydraulic_accepted_batches_total",
      help: "Batches put into the stream, by the format that they were sent in",
      labelNames: ["format"],
      registers: [registry],
    });
    this.#readings = new Counter({
      name: "hydraulic_accepted_readings_total",
      help: "Readings of these batches, by format",
      labelNames: ["format"],
      registers: [registry],
    });
  }

  count(format: BodyFormat, readings: number): void {
    this.#batches.inc({ format });
    this.#readings.inc({ format }, readings);
  }
}
