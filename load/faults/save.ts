/** Results for the record: a dated file for each run, and the table of all. */
import { number } from "../run/report.ts";
import { saveDated } from "../run/save.ts";
import { type FaultResult, passed } from "./result.ts";

const NAME = /^(\d{4}-\d\d-\d\d)-faults-\d+\.json$/;

/** @returns the file's name */
export function save(result: FaultResult, folder?: string): Promise<string> {
  const name = `${result.date.slice(0, 10)}-faults-${result.seed}.json`;
  return saveDated({ name, table: "faults.md", of: NAME, head: HEAD, row: tableRow }, result, folder);
}

const HEAD = `# Results of \`bun run faults\`

Each line is one run on one machine; the JSON has every kind of fault with its recovery, and docs/faults.md says what it
means. Recovery is from the end of a round's last fault until everything is ready and nothing of before waits, in ms.
"data" is what the oracle found: every accepted reading was looked for.

| run | seed | faults | not done | commit | machine | minutes | batches | readings | recovery p50 | p95 | max | data |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
`;

function tableRow(file: string, result: FaultResult): string {
  const { machine, recovery, data } = result;
  const columns = [
    `[${NAME.exec(file)?.[1]}](${file})`,
    String(result.seed),
    number(result.done),
    String(result.not_done),
    machine.commit,
    `${machine.cpu}, ${machine.cores} cores`,
    (result.elapsed_s / 60).toFixed(1),
    number(data?.jobs ?? 0),
    number(data?.readings ?? 0),
    String(recovery.p50),
    String(recovery.p95),
    String(recovery.max),
    passed(result) ? "right" : (result.failure ?? `${data?.differences} differences`),
  ];
  return `| ${columns.join(" | ")} |`;
}
