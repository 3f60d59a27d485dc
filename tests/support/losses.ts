/** Those who look for lost jobs, told when to look, and what they find. */
import { LostJobs } from "../../src/ingest/lost-jobs.ts";
import { JobMirror } from "../../src/ingest/mirror.ts";
import { createLogger } from "../../src/ops/log.ts";
import { LostJobStore } from "../../src/store/lost-jobs.ts";
import { MirrorFeed } from "../../src/stream/mirror-feed.ts";
import { Whereabouts } from "../../src/stream/whereabouts.ts";
import { type IngestBench, reading } from "./ingest-bench.ts";
import { until } from "./until.ts";

export const SILENT = createLogger({ level: "silent" as "error", format: "json" });
export const TTL_S = 3_600;

/** For a bench with two partitions. */
export class Losses {
  /** Jobs found to be lost. */
  lost = 0;

  constructor(private readonly bench: IngestBench) {}

  /** One that looks when it is told to. */
  finder(owner = "finder", redis = this.bench.redis): LostJobs {
    return new LostJobs(
      { every_ms: 60_000, owner, job_ttl_s: TTL_S },
      new Whereabouts(redis),
      new LostJobStore(this.bench.database),
      SILENT,
      (jobs) => {
        this.lost += jobs;
      },
    );
  }

  /** What is missing at two looks is lost. */
  async lookTwice(): Promise<void> {
    const one = this.finder();
    await one.look();
    await one.look();
    await one.stop();
  }

  offer(n: number): Promise<string> {
    return this.bench.offer(Array.from({ length: 3 }, (_, i) => reading(n, i)));
  }

  /** PostgreSQL has heard of all that was offered. */
  async mirrored(): Promise<void> {
    const { redis, jobs } = this.bench;
    const mirror = new JobMirror(new MirrorFeed(redis, "m"), jobs, 2, SILENT);
    mirror.start();
    await until("no note is left", async () => {
      const left = await Promise.all([0, 1].map((p) => redis.xlen(`mirror:{${p}}`)));
      return left.every((n) => n === 0);
    });
    await mirror.stop(5_000);
  }

  /** Offered, and PostgreSQL has heard of them. */
  async accepted(count: number): Promise<string[]> {
    const ids: string[] = [];
    for (let n = 0; n < count; n += 1) ids.push(await this.offer(n));
    await this.mirrored();
    return ids;
  }

  statusOf(ids: readonly string[]) {
    return Promise.all(ids.map(async (id) => (await this.bench.jobs.get(id))?.status));
  }
}
