/**
 * Where log lines go: a file descriptor that may be a file on a full disk, or a pipe whose reader is gone. A service that
 * cannot write its log goes on serving; lines are lost then, and the log says how many as soon as it can.
 */
import { writeSync } from "node:fs";

/** A pipe whose reader does not read holds up everything; after this lines are lost until it reads again, ms. */
const PATIENCE_MS = 1_000;
const PAUSE_MS = 5;

/** As `fs.writeSync`: bytes written. */
type Write = (fd: number, bytes: Uint8Array) => number;

export class LogOutput {
  #lost = 0;
  /** The last line ended in its middle. */
  #isBroken = false;

  /** @param print makes the text of a line from its JSON; the same for what this adds itself */
  constructor(
    private readonly fd: number,
    private readonly print: (json: string) => string,
    private readonly system: Write = writeSync,
  ) {}

  /** One line of JSON, with its end. Never throws. */
  write(json: string): void {
    if (this.#lost > 0 && this.#put(this.print(this.#confession()), 0)) this.#lost = 0;
    if (this.#lost > 0 || !this.#put(this.print(json), PATIENCE_MS)) this.#lost += 1;
  }

  #confession(): string {
    const line = {
      level: "warn",
      time: new Date().toISOString(),
      lines: this.#lost,
      msg: "log lines could not be written and are lost",
    };
    return `${JSON.stringify(line)}\n`;
  }

  #put(text: string, patience_ms: number): boolean {
    const bytes = Buffer.from(this.#isBroken ? `\n${text}` : text);
    const end_ms = performance.now() + patience_ms;
    let done = 0;
    while (done < bytes.length) {
      try {
        done += this.system(this.fd, bytes.subarray(done));
      } catch (error) {
        const isBusy = (error as { code?: string }).code === "EAGAIN";
        if (!isBusy || performance.now() > end_ms) {
          this.#isBroken ||= done > 0;
          return false;
        }
        Bun.sleepSync(PAUSE_MS);
      }
    }
    this.#isBroken = false;
    return true;
  }
}

/** What is printed beside the log is lost as well when it cannot be written: that is no reason to end. */
export function survivePrinting(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);
}
