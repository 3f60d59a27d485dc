/** Throws where nobody catches it. */
import { runThreadThatEnds } from "./misbehave.ts";

runThreadThatEnds(() => {
  throw new Error("thrown on purpose");
}, "next-turn");
