/**
 * Makes the append-only file of Redis whole again after its disk was full. Redis takes a write back that went in only in
 * part, by cutting the file; but a file that it has begun with a rewrite is not open for appending (Redis 7.0 to 8.0,
 * `openNewIncrAofForAppend`), so the next write goes to where the last one ended, and a hole of zeros stays between.
 * Redis goes on, and cannot read the file at its next start. A rewrite makes a new file from memory, where all is.
 * Found by `bun run faults`.
 */
import type { Redis } from "ioredis";
import type { Logger } from "../ops/log.ts";
import { writableServers } from "./cluster.ts";
import { reaching, replyCode } from "./connection.ts";
import { fieldsOfInfo } from "./info.ts";

/** INFO persistence and errorstats (Redis documentation, "INFO"). */
interface FileState {
  /** The last write did not go through. */
  readonly failing: boolean;
  /**
   * Commands refused since the server started because it could not write (MISCONF): they tell of a moment that nobody
   * saw. While snapshots fail they tell of that instead, and this is null.
   */
  readonly refusals: number | null;
  readonly rewriting: boolean;
  /** Rewrites begun since the server started. */
  readonly rewrites: number;
}

/** What is known of a file that may have a hole. */
interface Doubt {
  /** Rewrites when it was seen to be written again; null: it is not yet. */
  since: number | null;
  refused: boolean;
}

export class AppendOnlyFile {
  /** By server. */
  readonly #doubts = new Map<string, Doubt>();
  /** Refusals that are known, by server. Those of before the first look may be of a file that nobody mended. */
  readonly #known = new Map<string, number>();

  /** @param redis a client of a server, or of a cluster, each of whose masters has a file of its own */
  constructor(
    private readonly redis: unknown,
    private readonly log: Logger,
  ) {}

  /** To be called every second or so. @throws {StreamUnavailableError} */
  async look(): Promise<void> {
    await Promise.all(writableServers(this.redis).map((server) => this.#lookAt(server)));
  }

  async #lookAt(server: Redis): Promise<void> {
    const name = `${server.options.host}:${server.options.port}`;
    const state = await stateOf(server);
    if (state === null) return;
    const doubt = this.#doubts.get(name);
    const known = this.#known.get(name) ?? 0;
    if (state.refusals !== null) this.#known.set(name, state.refusals);
    if (state.failing || (state.refusals ?? 0) > known) {
      if (!doubt) this.log.warn({ redis: name }, "Redis could not write its append-only file");
      this.#doubts.set(name, { since: null, refused: doubt?.refused ?? false });
      return;
    }
    if (!doubt) return;
    doubt.since ??= state.rewrites;
    // Begun since then by whomever, or it was started anew, and so has read its file: whole.
    if (state.rewrites !== doubt.since) {
      this.#doubts.delete(name);
      return;
    }
    // One that began before is no help: what it began may have the hole.
    if (!state.rewriting) await this.#rewrite(server, name, doubt);
  }

  /** The next look sees that it was begun. */
  async #rewrite(server: Redis, name: string, doubt: Doubt): Promise<void> {
    try {
      await reaching(server.bgrewriteaof());
      this.log.warn(
        { redis: name },
        "Redis writes again; its append-only file may have a hole, and is written anew",
      );
    } catch (error) {
      if (replyCode(error) === undefined) throw error;
      // Another one was faster; or this user may not, and then somebody else has to know.
      if (!doubt.refused)
        this.log.warn(
          { redis: name, err: (error as Error).message },
          "Redis does not write its append-only file anew; BGREWRITEAOF is needed before it is restarted",
        );
      doubt.refused = true;
    }
  }
}

/** Null when there is no such file. */
async function stateOf(server: Redis): Promise<FileState | null> {
  const info = (await reaching(server.call("INFO", "persistence", "errorstats"))) as string;
  const field = fieldsOfInfo(info);
  if (field("aof_enabled") !== "1") return null;
  const refused = /count=(\d+)/.exec(field("errorstat_MISCONF") ?? "")?.[1] ?? "0";
  return {
    failing: field("aof_last_write_status") === "err",
    refusals: field("rdb_last_bgsave_status") === "err" ? null : Number(refused),
    rewriting: field("aof_rewrite_in_progress") === "1" || field("aof_rewrite_scheduled") === "1",
    rewrites: Number(field("aof_rewrites") ?? 0),
  };
}
