/** Leaves a rejection unhandled, which ends a Bun thread with code 0 unless it is listened for. */
import { runThreadThatEnds } from "./misbehave.ts";

runThreadThatEnds(() => void Promise.reject(new Error("rejected on purpose")), "next-turn");
