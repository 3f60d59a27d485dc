/** Logs: one JSON object a line for machines, readable text on a terminal. */
import pino from "pino";
import pretty from "pino-pretty";
import { LogOutput } from "./log-output.ts";

export type Logger = pino.Logger;

export interface LogSettings {
  readonly level: "debug" | "info" | "warn" | "error";
  /** auto: text when standard output is a terminal, else JSON. */
  readonly format: "auto" | "json" | "text";
}

/** A logger that writes to standard output (or to `into`). Times are RFC 3339 in UTC, levels are words. */
export function createLogger(settings: LogSettings, into?: NodeJS.WritableStream): Logger {
  const text = settings.format === "text" || (settings.format === "auto" && process.stdout.isTTY === true);
  const options: pino.LoggerOptions = {
    level: settings.level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    redact: ["password", "token", "authorization", "secret"],
  };
  if (into) return text ? pino(options, pretty({ ...prettiness(), destination: into })) : pino(options, into);
  return pino(options, new LogOutput(STDOUT, text ? pretty.prettyFactory(prettiness()) : (json) => json));
}

const STDOUT = 1;

const prettiness = (): pretty.PrettyOptions => ({
  colorize: process.stdout.isTTY === true,
  translateTime: "UTC:HH:MM:ss.l",
  ignore: "pid,hostname",
  singleLine: true,
});
