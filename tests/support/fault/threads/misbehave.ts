/**
 * An ingest thread that does its work, and misbehaves once: in its first life, at the moment between the second
 * COMMIT and its acknowledgement. The next life of the same slot works as it should.
 */
import type { FromThread, ToThread } from "../../../../src/ingest/messages.ts";
import { runThread } from "../../../../src/ingest/run-thread.ts";

/** Bun's global of a worker thread, as its documentation declares it. */
declare const self: Worker;

const COMMITS_BEFORE = 2;

/** @param harm called once; a `throw` in it happens outside of the pipeline's own calls */
export function runThreadThatEnds(harm: () => void, how: "at-once" | "next-turn"): void {
  let firstLife = false;
  let commits = 0;
  self.addEventListener("message", ({ data }: MessageEvent<ToThread>) => {
    if (data.kind === "start") firstLife = data.settings.consumer.endsWith(".1");
  });
  const post = self.postMessage.bind(self);
  self.postMessage = (message: FromThread) => {
    post(message);
    if (message.kind !== "committed") return;
    commits += 1;
    if (!firstLife || commits !== COMMITS_BEFORE) return;
    if (how === "at-once") harm();
    else setImmediate(harm);
  };
  runThread();
}
