/** Wires the look after the append-only file of Redis. Every worker looks; which of them is the first does not matter. */
import { Polling } from "../ops/polling.ts";
import { AppendOnlyFile } from "../stream/append-only-file.ts";
import type { ScriptedRedis } from "../stream/scripts.ts";
import type { Wiring } from "./wiring.ts";

/** Redis itself looks once a second whether it can write again. */
const EVERY_MS = 500;

/** Of a worker process. The file is made whole again after the disk of Redis was full. */
export function startAppendOnly({ log, stopping }: Wiring, redis: ScriptedRedis): void {
  const file = new AppendOnlyFile(redis, log);
  const polling = new Polling({
    every_ms: EVERY_MS,
    read: () => file.look(),
    log,
    away: "the append-only file of Redis is not looked after",
    back: "the append-only file of Redis is looked after again",
  });
  polling.start();
  stopping.last("look after the append-only file", () => polling.stop());
}
