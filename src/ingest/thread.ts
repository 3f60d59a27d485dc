/** Entry point of an ingest thread (the second of the program; the first is main.ts). */
import { runThread } from "./run-thread.ts";

runThread();
