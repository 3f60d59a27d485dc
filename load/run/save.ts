/** Results for the record: a dated file for each run, and the table of all. */
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { ROOT } from "../../src/commands/environment.ts";
import { number, passed } from "./report.ts";
import type { LoadResult } from "./result.ts";

const RESULTS = join(ROOT, "load/results");
const NAME = /^(\d{4}-\d\d-\d\d)-load-[a-z]+\.json$/;

/** A kind of record: its file of the day, and the table of all of the kind. */
export interface RecordKind<T> {
  readonly name: string;
  readonly table: string;
  /** Names of files of the kind. */
  readonly of: RegExp;
  /** Before the rows. */
  readonly head: string;
  readonly row: (file: string, result: T) => string;
}

/** Write a run, and its line into the table: earlier runs too, oldest first. @returns the file's name */
export async function saveDated<T>(kind: RecordKind<T>, result: T, folder = RESULTS): Promise<string> {
  await mkdir(folder, { recursive: true });
  await Bun.write(join(folder, kind.name), `${JSON.stringify(result, null, 2)}\n`);
  const names = (await readdir(folder)).filter((file) => kind.of.test(file)).sort();
  const rows = await Promise.all(
    names.map(async (file) => kind.row(file, (await Bun.file(join(folder, file)).json()) as T)),
  );
  await Bun.write(join(folder, kind.table), `${kind.head}${rows.join("\n")}\n`);
  return kind.name;
}

/** @returns the file's name */
export function save(result: LoadResult, folder?: string): Promise<string> {
  const name = `${result.date.slice(0, 10)}-load-${result.scenario}.json`;
  return saveDated({ name, table: "load.md", of: NAME, head: HEAD, row: tableRow }, result, folder);
}

const HEAD = `# Results of \`bun run load\`

Each line is one run of a scenario on one machine, k6 included; the JSON has everything that was measured, and
docs/load.md says what it means. Times are p95 in ms. "data" is what the check afterwards found.

| run | scenario | commit | machine | load before | rows/s | accept | stored | k6, cores | knee | data | bounds |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
`;

function tableRow(file: string, result: LoadResult): string {
  const { machine, accept, stored, k6, ramp, data, bounds } = result;
  const broken = bounds.filter(({ ok }) => ok === false).map(({ rule }) => rule);
  const columns = [
    `[${NAME.exec(file)?.[1]}](${file})`,
    `${result.scenario}, ${number(result.seconds)} s`,
    machine?.commit ?? "-",
    machine ? `${machine.cpu}, ${machine.cores} cores` : result.target,
    machine ? String(machine.load_before) : "-",
    number(result.rows_per_s),
    String(accept.p95),
    stored ? String(stored.p95) : "-",
    (k6.cpu_s / k6.elapsed_s).toFixed(2),
    ramp ? number(ramp.knee ?? 0) : "-",
    "wrong" in data ? "wrong" : "right",
    broken.length === 0 ? (passed(result) ? "kept" : "kept, but data") : `broken: ${broken.join("; ")}`,
  ];
  return `| ${columns.join(" | ")} |`;
}
