/** Prometheus metrics of lists and readings that are sent as files. */
import { Counter, Gauge, type Registry } from "prom-client";
import type { PlacesBound } from "../limits/places.ts";
import { DOWNLOAD_ENDS, type DownloadEnd } from "./download.ts";

/** @param running how many there are @returns counts one that has ended, or that found no place */
export function downloadMetrics(
  registry: Registry,
  running: () => number,
): (outcome: DownloadEnd | `refused_${PlacesBound}`) => void {
  const ended = new Counter({
    name: "hydraulic_downloads_total",
    help: "Lists and readings sent as files, by how they ended; refused_user and refused_all found no place",
    labelNames: ["outcome"],
    registers: [registry],
  });
  // From 0, so that the first of a kind is a rise.
  for (const outcome of [...DOWNLOAD_ENDS, "refused_user", "refused_all"]) ended.inc({ outcome }, 0);
  new Gauge({
    name: "hydraulic_downloads",
    help: "Lists and readings that are being sent as files",
    registers: [registry],
    collect() {
      this.set(running());
    },
  });
  return (outcome) => ended.inc({ outcome });
}
