/** Ends itself without a word. */
import { runThreadThatEnds } from "./misbehave.ts";

runThreadThatEnds(() => process.exit(0), "at-once");
