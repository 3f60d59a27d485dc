/** Writes deploy/grafana/dashboards: `bun deploy/grafana/source/write.ts`. A test holds the files to it. */
import { database } from "./database.ts";
import { ingest } from "./ingest.ts";
import type { Dashboard } from "./panel.ts";
import { quality } from "./quality.ts";
import { workers } from "./workers.ts";

/** By file name. */
export const DASHBOARDS: Readonly<Record<string, Dashboard>> = {
  "database.json": database,
  "ingest.json": ingest,
  "quality.json": quality,
  "workers.json": workers,
};

export const textOfDashboard = (dashboard: Dashboard): string => `${JSON.stringify(dashboard, null, 2)}\n`;

if (import.meta.main) {
  const folder = new URL("../dashboards/", import.meta.url);
  for (const [name, dashboard] of Object.entries(DASHBOARDS)) {
    await Bun.write(new URL(name, folder), textOfDashboard(dashboard));
  }
}
