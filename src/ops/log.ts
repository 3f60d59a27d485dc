/** Logs: one JSON object a line for machines, readable text on a terminal. */
import pino from "pino";
import pretty from "pino-pretty";

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
  if (!text) return into ? pino(options, into) : pino(options, pino.destination({ fd: 1, sync: true }));
  const stream = pretty({
    colorize: process.stdout.isTTY === true,
    translateTime: "UTC:HH:MM:ss.l",
    ignore: "pid,hostname",
    singleLine: true,
    ...(into ? { destination: into } : { destination: 1, sync: true }),
  });
  return pino(options, stream);
}
