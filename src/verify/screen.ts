/** What a run of `verify` says while it goes on. */
import type { NamedFinding } from "./finding.ts";
import { tableLine } from "./table.ts";

/** Findings as they come; nothing on standard output when it is for JSON. */
export class Screen {
  readonly #colour = process.stdout.isTTY === true && process.stdout.hasColors();

  constructor(private readonly json: boolean) {}

  finding(finding: NamedFinding): void {
    if (!this.json) process.stdout.write(tableLine(finding, this.#colour));
  }

  text(text: string): void {
    if (!this.json) process.stdout.write(text);
  }

  /** What happens next, for a person who waits. */
  step(text: string): void {
    process.stderr.write(`${text}\n`);
  }
}
