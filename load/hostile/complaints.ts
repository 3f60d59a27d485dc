/** What the service says of itself: also of requests whose sender did not wait for the answer. */
import { readFile } from "node:fs/promises";

export interface Complaints {
  /** Requests that it counted as answered with 5xx. */
  readonly server_errors: number;
  /** Lines of its log that are errors. */
  readonly log_errors: number;
}

const COUNTER = /^http_requests_total\{[^}]*status="5\d\d"[^}]*\} (\d+)$/gm;
const ERROR_LINE = /"level":"error"/g;

/** @param metrics text of `/metrics` */
export async function complaintsOf(metrics: string, logPath: string): Promise<Complaints> {
  const server_errors = [...metrics.matchAll(COUNTER)].reduce((sum, [, n]) => sum + Number(n), 0);
  const log = await readFile(logPath, "utf8");
  return { server_errors, log_errors: log.match(ERROR_LINE)?.length ?? 0 };
}
