/**
 * What the workers told to be lost. No fault of a run makes Redis lose what it was given, so nothing may be: a job that is
 * told to be lost and turns up again has the right rows in the end, and so the oracle would not see that its producer
 * was told something wrong.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { WORKERS } from "./kinds.ts";

const LOST = '"msg":"job lost with Redis"';

/** @param folder with the logs of the workers @returns lines of all of them that tell of a lost job */
export async function lossesTold(folder: string): Promise<number> {
  const logs = await Promise.all(WORKERS.map((name) => readFile(join(folder, `${name}.log`), "utf8")));
  return logs.reduce((sum, log) => sum + log.split(LOST).length - 1, 0);
}
