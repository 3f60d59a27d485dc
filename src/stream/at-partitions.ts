/** Work at several partitions at once, whose servers may be away each by itself. */
import { StreamUnavailableError } from "./connection.ts";

/**
 * The same work at each partition. Those whose server is away are left out: they must not hold up the others.
 * @returns what the others gave, in their order
 * @throws {StreamUnavailableError} when all are away @throws what is no outage, at whichever partition
 */
export async function atPartitions<T>(
  partitions: readonly number[],
  work: (partition: number) => Promise<T>,
): Promise<T[]> {
  const done = await Promise.allSettled(partitions.map(work));
  const failures = done.filter(({ status }) => status === "rejected") as PromiseRejectedResult[];
  const fatal = failures.find(({ reason }) => !(reason instanceof StreamUnavailableError));
  if (fatal) throw fatal.reason;
  if (failures.length > 0 && failures.length === partitions.length) throw failures[0]!.reason;
  return done.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
}

/**
 * Work about some things, at the partition of each; all of it is done before an error is told.
 * @throws {StreamUnavailableError} when it failed for one of them
 */
export async function byPartition<T>(
  things: readonly T[],
  partitionOf: (thing: T) => number,
  work: (partition: number, things: T[]) => Promise<unknown>,
): Promise<void> {
  const groups = [...Map.groupBy(things, partitionOf)];
  const done = await Promise.allSettled(groups.map(([p, list]) => work(p, list)));
  const failed = done.find(({ status }) => status === "rejected") as PromiseRejectedResult | undefined;
  if (failed) throw failed.reason;
}
