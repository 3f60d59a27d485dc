/** Prometheus gauge of the query pool: at its bound, queries are refused. */
import { Gauge, type Registry } from "prom-client";
import type { Reader } from "./reader.ts";

/** Adds the gauge to `registry`. */
export function readerMetrics(registry: Registry, reader: Pick<Reader, "load">): void {
  new Gauge({
    name: "hydraulic_reader_queries",
    help: "Queries of stored readings that run or wait for a slot",
    labelNames: ["state"],
    registers: [registry],
    collect() {
      const { running, waiting } = reader.load;
      this.set({ state: "running" }, running);
      this.set({ state: "waiting" }, waiting);
    },
  });
}
