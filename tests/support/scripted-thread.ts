/**
 * A thread for the supervisor's tests that behaves as told: `database_url` holds one word for each life, the last one
 * for all that follow. Says what it was started with as a `retrying` message.
 */
import type { FromThread, ToThread } from "../../src/ingest/messages.ts";

declare const self: Worker;

export type Behaviour = "ok" | "deaf" | "mute" | "throw" | "reject" | "exit" | "fatal" | "busy";

const say = (message: FromThread) => self.postMessage(message);
let behaviour: Behaviour = "ok";

function misbehave(): void {
  if (behaviour === "throw") throw new Error("thrown on purpose");
  if (behaviour === "reject") void Promise.reject(new Error("rejected on purpose"));
  if (behaviour === "exit") process.exit(3);
  if (behaviour === "fatal") say({ kind: "fatal", message: "fatal on purpose" });
  if (behaviour === "busy") for (;;) Math.random();
}

self.onmessage = ({ data }: MessageEvent<ToThread>) => {
  if (data.kind === "drain") {
    if (behaviour !== "deaf") say({ kind: "drained" });
    return;
  }
  const { database_url, consumer, predecessor } = data.settings;
  const script = database_url.split(",") as Behaviour[];
  const life = Number(consumer.split(".").at(-1));
  behaviour = script[Math.min(life, script.length) - 1] ?? "ok";
  say({ kind: "retrying", fault: JSON.stringify({ consumer, predecessor }) });
  if (behaviour === "mute") return;
  say({ kind: "ready" });
  setInterval(() => say({ kind: "heartbeat", in_hand: 2 }), 20);
  setTimeout(misbehave, 30);
};
