/** Live progress on standard error: one refreshed line on a terminal, a plain line now and then elsewhere. */
import type { Clock } from "../ops/clock.ts";

/** Where a program writes; process.stderr fits. */
export interface TextSink {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

const TERMINAL_MS = 200;
const PLAIN_MS = 5000;
/** Control Sequence Introducer, "erase in line" (ECMA-48 section 8.3.41). */
const ERASE_LINE = "\r\u001b[K";

export class Progress {
  readonly #interval_ms: number;
  #timer: NodeJS.Timeout | null = null;
  #next_ms: number;
  #drawn = false;

  /** @param line the progress at this moment, one line without its end */
  constructor(
    private readonly sink: TextSink,
    private readonly clock: Clock,
    private readonly line: () => string,
  ) {
    this.#interval_ms = sink.isTTY ? TERMINAL_MS : PLAIN_MS;
    this.#next_ms = clock.monotonic_ms() + this.#interval_ms;
  }

  start(): void {
    this.#timer ??= setInterval(() => this.tick(), TERMINAL_MS);
  }

  /** Write the line if it is time to. */
  tick(): void {
    const now = this.clock.monotonic_ms();
    if (now < this.#next_ms) return;
    this.#next_ms = now + this.#interval_ms;
    if (!this.sink.isTTY) {
      this.sink.write(`${this.line()}\n`);
      return;
    }
    this.sink.write(ERASE_LINE + this.line().slice(0, (this.sink.columns || 80) - 1));
    this.#drawn = true;
  }

  /** Write a line that stays, above the progress. */
  print(text: string): void {
    this.#erase();
    this.sink.write(`${text}\n`);
  }

  stop(): void {
    if (this.#timer) clearInterval(this.#timer);
    this.#timer = null;
    this.#erase();
  }

  #erase(): void {
    if (this.#drawn) this.sink.write(ERASE_LINE);
    this.#drawn = false;
  }
}

/** A bar of `width` characters for a share of 0-1. */
export function bar(share: number, width: number): string {
  const full = Math.round(Math.min(1, Math.max(0, share)) * width);
  return `[${"#".repeat(full)}${".".repeat(width - full)}]`;
}

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

/** 384000 as "384,000". */
export function thousands(n: number): string {
  return whole.format(n);
}

/** A duration in ms for people: "0.42 ms", "7.3 ms", "120 ms", "4.2 s"; "-" when there is none. */
export function duration(ms: number | null): string {
  if (ms === null) return "-";
  if (ms >= 10_000) return `${(ms / 1000).toFixed(1)} s`;
  if (ms >= 100) return `${Math.round(ms)} ms`;
  return `${ms.toFixed(ms < 1 ? 2 : 1)} ms`;
}
