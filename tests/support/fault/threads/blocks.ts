/** Computes for ever: no timer, no heartbeat, no message. */
import { runThreadThatEnds } from "./misbehave.ts";

runThreadThatEnds(() => {
  for (;;);
}, "at-once");
