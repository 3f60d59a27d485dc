/** Waiting for a client to become usable, and why it does not. */
import { Cluster, type Redis } from "ioredis";
import { DeadlineError, withDeadline } from "../ops/retry.ts";
import { StreamUnavailableError } from "./faults.ts";
import type { ScriptedRedis } from "./scripts.ts";
import { SLOTS } from "./slots.ts";

/** Codes of what is wrong with a certificate or a handshake: waiting does not mend it. */
const NOT_TRUSTED = /^(ERR_TLS_|ERR_SSL_|CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_)/;

type Heard = "ready" | "error" | "node error" | "close";

/**
 * Resolves when the client can be used, of a cluster when every slot is served.
 * @throws {StreamUnavailableError} after `deadline_ms`, and at once when the server's certificate is not good; with what
 *   kept it from connecting
 */
export async function ready(redis: ScriptedRedis | Redis, deadline_ms: number): Promise<void> {
  if (redis.status !== "ready") await becomesReady(redis, deadline_ms);
  if (!(redis instanceof Cluster)) return;
  const without = SLOTS - Object.keys(redis.slots).length;
  if (without > 0)
    throw new StreamUnavailableError(`Redis Cluster: ${without} hash slots are served by nobody`);
}

async function becomesReady(redis: ScriptedRedis | Redis, deadline_ms: number): Promise<void> {
  let why = usesTls(redis) ? "nothing is answered in TLS; does the server have it?" : "nothing is answered";
  const tidy = new AbortController();
  const connected = new Promise<void>((resolve, reject) => {
    const on = (event: Heard, hear: (error: NodeJS.ErrnoException) => void) => {
      redis.on(event, hear);
      tidy.signal.addEventListener("abort", () => redis.off(event, hear), { once: true });
    };
    on("ready", () => resolve());
    const failed = (error: NodeJS.ErrnoException) => {
      const code = error.code ?? "";
      if (code !== "ETIMEDOUT")
        why = error.message.includes(code) ? error.message : `${error.message} (${code})`;
      if (NOT_TRUSTED.test(code)) reject(new StreamUnavailableError(`TLS with Redis: ${why}`));
    };
    on("error", failed);
    // Of one node of a cluster.
    on("node error", failed);
    on("close", () => {
      if (why === "nothing is answered") why = "it closes each connection; does it want TLS (rediss://)?";
    });
  });
  try {
    await withDeadline(connected, deadline_ms, "connecting to Redis");
  } catch (error) {
    if (!(error instanceof DeadlineError)) throw error;
    throw new StreamUnavailableError(`Redis did not answer within ${deadline_ms} ms: ${why}`);
  } finally {
    tidy.abort();
  }
}

function usesTls(redis: ScriptedRedis | Redis): boolean {
  if (redis instanceof Cluster) return redis.options.redisOptions?.tls !== undefined;
  return (redis as Redis).options.tls !== undefined;
}
