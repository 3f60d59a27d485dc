/** Opens the pools that queries of people run on: of the primary, and of its read replica where there is one. */
import { systemClock } from "../ops/clock.ts";
import { Reader, type RowReader } from "../store/queries/reader.ts";
import { readerMetrics } from "../store/queries/reader-metrics.ts";
import { readReplicaMetrics } from "../store/replica/replica-metrics.ts";
import { ReplicaWatch } from "../store/replica/replica-watch.ts";
import { RoutedReader } from "../store/replica/routed-reader.ts";
import type { Wiring } from "./wiring.ts";

/** Between two looks at where primary and replica are; the lag is known to about this, ms. */
const LOOK_MS = 500;
/** Of one look, ms. */
const LOOK_DEADLINE_MS = 2_000;

export interface Readers {
  /** Asks the primary. */
  readonly reader: Reader;
  /** Answers questions about stored readings. */
  readonly stored: RowReader;
  readonly replica: ReplicaWatch | null;
}

/** Queries of stored readings have a pool of their own: slow ones cannot keep log-in and health from answering. */
export function openReaders(wiring: Wiring): Readers {
  const { config, services, metrics, stopping } = wiring;
  const reader = open(wiring, services.databaseUrl);
  const { DATABASE_READ_URL: url, DATABASE_READ_MAX_LAG_MS: max_lag_ms } = config;
  if (url === undefined) {
    readerMetrics(metrics, [reader]);
    stopping.last("query pool", (left_ms) => reader.close(left_ms / 2));
    return { reader, stored: reader, replica: null };
  }
  const copy = open(wiring, url);
  const look = { size: 1, deadline_ms: LOOK_DEADLINE_MS };
  // Not the pools of people, which may be full: the watch must always know.
  const watched = [new Reader({ url: services.databaseUrl, ...look }), new Reader({ url, ...look })] as const;
  const settings = { max_lag_ms, interval_ms: LOOK_MS };
  const watch = new ReplicaWatch(settings, ...watched, systemClock, wiring.log);
  watch.start();
  readerMetrics(metrics, [reader, copy]);
  const stored = new RoutedReader(reader, copy, watch, readReplicaMetrics(metrics, watch), wiring.log);
  stopping.last("query pool", async (left_ms) => {
    await watch.stop();
    await Promise.all([reader, copy, ...watched].map((each) => each.close(left_ms / 2)));
  });
  return { reader, stored, replica: watch };
}

function open({ config, onQuery }: Wiring, url: string): Reader {
  return new Reader({ url, size: config.QUERY_POOL_SIZE, deadline_ms: config.QUERY_DEADLINE_MS, onQuery });
}
