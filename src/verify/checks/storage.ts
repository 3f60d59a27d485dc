/** Disk and sizes. */
import { statfs } from "node:fs/promises";
import { inspectStorage } from "../../store/inspect/tables.ts";
import { withHypertable } from "../context.ts";
import { failed, ok, warn } from "../finding.ts";
import { bytes, percent, whole } from "../format.ts";

const WARN_FREE = { share: 0.1, bytes: 5e9 } as const;
const FAIL_FREE = { share: 0.02, bytes: 1e9 } as const;

export interface Space {
  readonly free_bytes: number;
  readonly total_bytes: number;
}

/** Null when the folder cannot be seen from here: another machine, or another user's folder. */
export async function spaceOf(folder: string): Promise<Space | null> {
  try {
    const { bavail, blocks, bsize } = await statfs(folder);
    return { free_bytes: bavail * bsize, total_bytes: blocks * bsize };
  } catch (error) {
    if (["ENOENT", "EACCES", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) return null;
    throw error;
  }
}

const below = (space: Space, limit: { share: number; bytes: number }) =>
  space.free_bytes < Math.min(limit.bytes, limit.share * space.total_bytes);

export const disk = withHypertable("disk", async ({ database }) => {
  const { data_directory, local, ...sizes } = await inspectStorage(database);
  const space = local && data_directory !== null ? await spaceOf(data_directory) : null;
  const readings = sizes.tables.find(({ table }) => table === "diagnostics_sensordata");
  const figures = {
    database_bytes: sizes.database_bytes,
    ...Object.fromEntries(sizes.tables.map(({ table, bytes }) => [`${table}_bytes`, bytes])),
    readings_estimated: readings?.estimated_rows ?? null,
    free_bytes: space?.free_bytes ?? null,
    total_bytes: space?.total_bytes ?? null,
  };
  const rows = readings?.estimated_rows ? `, about ${whole(readings.estimated_rows)} readings` : "";
  const text = `database ${bytes(sizes.database_bytes)}${rows}`;
  if (!space) return ok(`${text}; free space is not visible from here`, figures);
  const free = `${text}; ${bytes(space.free_bytes)} free (${percent(space.free_bytes / space.total_bytes, 0)})`;
  const remedy = "Free space or move the data: PostgreSQL stops when its disk is full";
  if (below(space, FAIL_FREE)) return failed(free, remedy, figures);
  if (below(space, WARN_FREE)) return warn(free, remedy, figures);
  return ok(free, figures);
});
