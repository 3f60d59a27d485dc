/** What is seen of an own stack while k6 runs: memory of the service's processes, and batches that wait. */
import { readFileSync } from "node:fs";
import { streamKey } from "../../src/stream/keys.ts";
import type { OwnProcesses } from "./target.ts";

export interface Look {
  /** Since k6 was started, s. */
  readonly at_s: number;
  /** All processes of the service, bytes; null where there is no /proc. */
  readonly rss_bytes: number | null;
  /** Batches in the stream: waiting or in work. */
  readonly backlog: number;
}

const PARTITION = 0;
const EVERY_MS = 1_000;
const TELL_EVERY_S = 60;
const MIB = 2 ** 20;

export class Watch {
  readonly looks: Look[] = [];
  readonly #begin = performance.now();
  readonly #timer: Timer;
  #told_s = 0;
  #failure: unknown = null;

  /** @param tell a line a minute, for people who wait */
  constructor(
    private readonly own: Pick<OwnProcesses, "pids" | "redis">,
    private readonly tell: (line: string) => void,
  ) {
    this.#timer = setInterval(() => {
      this.#look().catch((error: unknown) => {
        this.#failure = error;
      });
    }, EVERY_MS);
  }

  /** @throws what a look threw: a service that cannot be asked is no stack under load */
  stop(): void {
    clearInterval(this.#timer);
    if (this.#failure !== null) throw this.#failure;
  }

  async #look(): Promise<void> {
    const backlog = await this.own.redis.xlen(streamKey(PARTITION));
    const at_s = Math.round((performance.now() - this.#begin) / 100) / 10;
    const rss_bytes = rssOf(this.own.pids);
    this.looks.push({ at_s, rss_bytes, backlog });
    if (at_s - this.#told_s < TELL_EVERY_S) return;
    this.#told_s = at_s;
    const memory = rss_bytes === null ? "unknown" : `${Math.round(rss_bytes / MIB)} MiB`;
    this.tell(`minute ${Math.round(at_s / 60)}: memory ${memory}, ${backlog} batches wait`);
  }
}

/** Resident memory (proc(5), VmRSS) of all of them together, bytes. */
function rssOf(pids: readonly number[]): number | null {
  try {
    return pids.reduce((sum, pid) => {
      const kb = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1];
      return sum + Number(kb) * 1024;
    }, 0);
  } catch (error) {
    // Ended meanwhile, or there is no /proc.
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}
