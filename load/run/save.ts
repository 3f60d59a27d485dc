/** Results for the record: a dated file for each run, and the table of all. */
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { ROOT } from "../../src/commands/environment.ts";
import { number, passed } from "./report.ts";
import type { LoadResult } from "./result.ts";

export const RESULTS = join(ROOT, "load/results");
const NAME = /^(\d{4}-\d\d-\d\d)-load-[a-z]+\.json$/;

/** Write the run of the day, and its line into the table. @returns the file's name */
export async function save(result: LoadResult, folder = RESULTS): Promise<string> {
  await mkdir(folder, { recursive: true });
  const name = `${result.date.slice(0, 10)}-load-${result.scenario}.json`;
  await Bun.write(join(folder, name), `${JSON.stringify(result, null, 2)}\n`);
  const names = await savedNames(folder, NAME);
  const rows = await Promise.all(
    names.map(async (file) => tableRow(file, (await Bun.file(join(folder, file)).json()) as LoadResult)),
  );
  await Bun.write(join(folder, "load.md"), `${HEAD}${rows.join("\n")}\n`);
  return name;
}

/** Files of earlier runs too, oldest first. */
export async function savedNames(folder: string, name: RegExp): Promise<string[]> {
  return (await readdir(folder)).filter((file) => name.test(file)).sort();
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
