/** Results for the record: a dated file, and the table of all. */
import { number } from "../run/report.ts";
import { saveDated } from "../run/save.ts";
import { type HostileResult, passed } from "./result.ts";

const HEAD = `# Results of \`bun run hostile\`

Each line is one run on one machine; the JSON has everything, and docs/load.md says what it means.

| run | seed | commit | machine | requests | seconds | closed | honest p95 | load before | speed after/before | processor time | memory after/before | found |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
`;

/** @returns the file's name */
export function save(result: HostileResult, folder?: string): Promise<string> {
  const name = `${result.date.slice(0, 10)}-hostile.json`;
  return saveDated<HostileResult>(
    { name, table: "hostile.md", of: /^\d{4}-\d\d-\d\d-hostile\.json$/, head: HEAD, row },
    result,
    folder,
  );
}

function row(file: string, result: HostileResult): string {
  const { machine, attack, honest, speed, burden, bounds } = result;
  const broken = bounds.filter(({ ok }) => ok === false).map(({ rule }) => rule);
  const columns = [
    `[${file.slice(0, 10)}](${file})`,
    String(result.seed),
    machine.commit,
    `${machine.cpu}, ${machine.cores} cores`,
    number(attack.requests),
    number(attack.seconds),
    number(attack.statuses[0] ?? 0),
    `${honest.accept.p95} ms`,
    String(machine.load_before),
    (speed[1].rows_per_s / speed[0].rows_per_s).toFixed(2),
    speed[0].cpu_us && speed[1].cpu_us ? (speed[1].cpu_us / speed[0].cpu_us).toFixed(2) : "-",
    burden ? (burden[1].rss_bytes / burden[0].rss_bytes).toFixed(2) : "-",
    passed(result) ? "nothing" : broken.join("; "),
  ];
  return `| ${columns.join(" | ")} |`;
}
