/**
 * Hears which jobs have changed, on a connection of its own: the scripts that change a job tell it. What is told while
 * the connection is away is lost, so this only says when to look; the job hashes say what is so.
 */
import type { Redis } from "ioredis";
import { JOB_CHANNEL } from "./keys.ts";

/** A connection that is silent for so long is asked whether it is alive, ms: nothing else would notice a dead path. */
const PING_MS = 5_000;
const JOB_ID_LENGTH = 36;

export interface SignalListener {
  /** These jobs have changed. */
  readonly onChange: (job_ids: readonly string[]) => void;
  /** Anything may have changed: the connection is new. */
  readonly onDoubt: () => void;
}

export class JobSignals {
  #pinging: Timer | undefined;

  /** @param redis a client of its own (`subscriberClient`) */
  constructor(private readonly redis: Redis) {}

  /** Listen from now on, through every reconnect. */
  listen({ onChange, onDoubt }: SignalListener): void {
    this.redis.on("message", (_channel: string, keys: string) =>
      onChange(keys.split(" ").map((key) => key.slice(-JOB_ID_LENGTH))),
    );
    // One that fails because the connection ends is followed by another `ready`.
    const subscribe = () => void this.redis.subscribe(JOB_CHANNEL).then(onDoubt, () => undefined);
    this.redis.on("ready", subscribe);
    if (this.redis.status === "ready") subscribe();
    this.#pinging = setInterval(() => this.#ping(), PING_MS);
    this.#pinging.unref();
  }

  #ping(): void {
    if (this.redis.status === "ready") this.redis.ping().catch(() => undefined);
  }

  close(): void {
    clearInterval(this.#pinging);
    this.redis.disconnect();
  }
}
