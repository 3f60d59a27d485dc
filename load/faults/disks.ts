/** The two small disks of a run, for the data of its servers. */
import { join } from "node:path";
import { type DiskPrefix, diskPrefix } from "./small-disks.ts";

export interface Disks {
  readonly postgres: string;
  readonly redis: string;
}

export const disksOf = (folder: string): Disks => ({
  postgres: join(folder, "postgres-disk"),
  redis: join(folder, "redis-disk"),
});

/** MiB: an empty cluster with its WAL, and what a fault's readings take. */
const POSTGRES_MIB = { empty: 640, each: 1 };
const REDIS_MIB = { empty: 192, each: 0.2 };

/** What to put before a run with so many faults. Where there can be none, disks are not filled, and the run says so. */
export function prefixOf(folder: string, faults: number): Promise<DiskPrefix> {
  const { postgres, redis } = disksOf(folder);
  const size = ({ empty, each }: typeof POSTGRES_MIB) => Math.ceil(empty + each * faults);
  return diskPrefix([
    { path: postgres, mebibytes: size(POSTGRES_MIB) },
    { path: redis, mebibytes: size(REDIS_MIB) },
  ]);
}
