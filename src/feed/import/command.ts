/** The command line of `import`. */
import { Command, InvalidArgumentError, Option } from "commander";
import type { HydraulicClient } from "../../client/index.ts";
import { demoFeeder } from "../../contract/demo.ts";
import { MAX_READINGS_PER_BATCH } from "../../contract/reading.ts";
import { isFeedError, UsageError } from "../errors.ts";
import { type Interrupt, listenForInterrupts } from "../interrupt.ts";
import {
  createClient,
  decimal,
  parseUuid,
  passwordOf,
  reasonOf,
  type ServiceOptions,
  SURROUNDINGS,
  wholeNumber,
  withServiceOptions,
} from "../options.ts";
import { Progress, thousands } from "../progress.ts";
import { completeMapping, loadMapping, type MappingFlags } from "./mapping.ts";
import { FindingLog } from "./report.ts";
import { Import } from "./run.ts";
import { inspectFile } from "./source.ts";
import { type ImportSummary, progressLine, summarize, summaryText } from "./summary.ts";

interface ImportOptions extends ServiceOptions, MappingFlags {
  readonly mapping?: string;
  readonly batch: number;
  readonly report?: string;
  readonly allowQuarantined?: true;
  readonly json?: true;
}

/** Findings shown on the terminal; `--report` has all of them. */
const SHOWN_FINDINGS = 20;

/** `import FILE`: exit status 0 when every reading is stored, 1 when not, 2 when the options cannot work. */
export function importCommand(): Command {
  const command = new Command("import")
    .description("load a CSV or TSV file, plain or gzip; see docs/feed.md for the mapping")
    .argument("<file>", "file with a header line; what it is shows in its content, not in its name")
    .option("--mapping <file>", "JSON file that says what the columns mean");
  return withServiceOptions(withMappingFlags(command), 4)
    .option("--batch <n>", "readings per request", wholeNumber(1, MAX_READINGS_PER_BATCH), 5000)
    .option("--report <file>", "write every finding with its line and column to this file (TSV)")
    .option("--allow-quarantined", "quarantined readings alone do not make the exit status 1")
    .option("--json", "print the summary as JSON")
    .action(async (file: string, options: ImportOptions) => {
      try {
        process.exitCode = await importFile(file, options);
      } catch (error) {
        if (!isFeedError(error)) throw error;
        process.stderr.write(`import: ${reasonOf(error)}\n`);
        process.exitCode = error instanceof UsageError ? 2 : 1;
      }
    });
}

function withMappingFlags(command: Command): Command {
  const epoch = new Option("--epoch <unit>", "the time counts from 1970-01-01T00:00:00Z in this unit");
  return command
    .addOption(
      new Option("--layout <kind>", "one column per sensor, or one reading per row").choices([
        "wide",
        "long",
      ]),
    )
    .option("--column <name=unit>", "value column (wide) or sensor (long) and its unit, repeatable", pairs())
    .option(
      "--sensor <name=uuid>",
      "sensor id of a column (default: made of system and name), repeatable",
      pairs(parseUuid),
    )
    .option("--ignore <name>", "column that is not imported, repeatable", collect)
    .option("--time <column>", "column of the timestamps, RFC 3339 unless --epoch says otherwise")
    .addOption(epoch.choices(["s", "ms", "us"]))
    .option("--zone <offset>", 'offset of timestamps without one: "Z" or "+01:00"', parseZone)
    .option("--seconds <column>", "column of seconds since --start")
    .option("--interval <s>", "time between two rows, the first lies at --start", decimal(1e-6, 31_536_000))
    .option("--start <time>", "RFC 3339 date-time that relative times count from")
    .option("--delimiter <character>", "default: found in the header", parseDelimiter)
    .option("--decimal-comma", "numbers are written 1234,5")
    .option("--empty <text>", 'text that means "no value", repeatable', collect)
    .option("--sensor-column <name>", "long layout (default: sensor_id or sensor)")
    .option("--value-column <name>", "long layout (default: value)")
    .option("--unit-column <name>", "long layout (default: unit)")
    .option("--quality-column <name>", "long layout (default: quality)");
}

async function importFile(file: string, options: ImportOptions): Promise<number> {
  const password = await passwordOf(options);
  const mapping = completeMapping(options.mapping ? await loadMapping(options.mapping) : {}, options);
  const source = await inspectFile(file);
  const client = createClient(options, options.username ?? demoFeeder(1), password);
  const { clock } = SURROUNDINGS;
  const begun_ms = clock.monotonic_ms();
  const took_ms = () => clock.monotonic_ms() - begun_ms;
  const progress = new Progress(process.stderr, clock, () =>
    progressLine(run.counts, run.shareRead, took_ms()),
  );
  const interrupt = listenForInterrupts((step) =>
    progress.print(step === "stop" ? "Stopping: waiting for batches under way." : "Leaving at once."),
  );
  const findings = new FindingLog(options.report ?? null, SHOWN_FINDINGS, (text) => progress.print(text));
  const run = new Import({
    source,
    mapping,
    system_id: options.system,
    client,
    batch_size: options.batch,
    concurrency: options.concurrency,
    wait_ms: options.wait * 1000,
    findings,
    onHeader: ({ unused }) => {
      if (unused.length > 0) progress.print(`Not imported: column ${unused.join(", ")}`);
    },
    stop: interrupt.stop,
    abandon: interrupt.abandon,
  });
  await carryOut({ run, client, findings, progress, interrupt });
  const summary = summarize(source, run, client, {
    interrupted: interrupt.stop.aborted,
    took_ms: took_ms(),
    allow_quarantined: options.allowQuarantined === true,
  });
  print(summary, findings, options);
  return summary.ok ? 0 : 1;
}

interface Parts {
  readonly run: Import;
  readonly client: HydraulicClient;
  readonly findings: FindingLog;
  readonly progress: Progress;
  readonly interrupt: Interrupt;
}

/** From the login to the end of the last job; what was opened is closed, however it ends. */
async function carryOut({ run, client, findings, progress, interrupt }: Parts): Promise<void> {
  progress.start();
  try {
    await findings.open();
    await client.login(interrupt.stop);
    await run.run();
  } finally {
    progress.stop();
    interrupt.dispose();
    await findings.close();
  }
}

function print(summary: ImportSummary, findings: FindingLog, { json, report }: ImportOptions): void {
  const text = json ? `${JSON.stringify(summary)}\n` : summaryText(summary, moreFindings(findings, report));
  process.stdout.write(text);
}

function moreFindings({ total, shown }: FindingLog, report: string | undefined): string | null {
  if (report !== undefined) return `${thousands(total)} findings are in ${report}.`;
  return total > shown
    ? `${thousands(total - shown)} findings more: --report FILE writes all of them.`
    : null;
}

/** commander parser for repeated NAME=VALUE; a name may hold "=" itself. */
function pairs(parse: (value: string) => string = (value) => value) {
  return (text: string, known?: ReadonlyMap<string, string>): Map<string, string> => {
    const at = text.lastIndexOf("=");
    if (at < 1 || at === text.length - 1) throw new InvalidArgumentError("It must be NAME=VALUE.");
    return new Map(known).set(text.slice(0, at), parse(text.slice(at + 1)));
  };
}

function collect(text: string, known: readonly string[] = []): string[] {
  return [...known, text];
}

function parseZone(text: string): string {
  if (/^(Z|[+-]\d{2}:\d{2})$/.test(text)) return text;
  throw new InvalidArgumentError('It must be "Z" or like "+01:00".');
}

function parseDelimiter(text: string): string {
  const delimiter = text === "\\t" || text === "tab" ? "\t" : text;
  if (delimiter.length === 1 && !'"\r\n'.includes(delimiter)) return delimiter;
  throw new InvalidArgumentError('It must be one character; "tab" for a tab.');
}
