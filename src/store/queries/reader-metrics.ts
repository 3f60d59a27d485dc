/** Prometheus gauge of the query pool: at its bound, queries are refused. */
import { Gauge, type Registry } from "prom-client";
import type { Reader } from "./reader.ts";

const sum = (readers: readonly Pick<Reader, "load">[], state: keyof Reader["load"]) =>
  readers.reduce((total, { load }) => total + load[state], 0);

/** Adds the gauge to `registry`. @param readers of the primary, and of its replica */
export function readerMetrics(registry: Registry, readers: readonly Pick<Reader, "load">[]): void {
  new Gauge({
    name: "hydraulic_reader_queries",
    help: "Queries of stored readings that run or wait for a slot",
    labelNames: ["state"],
    registers: [registry],
    collect() {
      this.set({ state: "running" }, sum(readers, "running"));
      this.set({ state: "waiting" }, sum(readers, "waiting"));
    },
  });
}
