/**
 * Who may do what: one row for each route of the service. The flow test holds the rows against the running service, for
 * every role and for systems within and out of reach, and fails when a route has no row; docs/access.md shows it.
 */
import { ACCOUNT_ROWS } from "./access/accounts.ts";
import { BATCH_ROWS } from "./access/batches.ts";
import { OVERSIGHT_ROWS } from "./access/oversight.ts";
import { QUARANTINE_ROWS } from "./access/quarantine.ts";
import { REGISTRY_ROWS } from "./access/registry.ts";
import { publicly, type Row } from "./access/row.ts";
import { WEBHOOK_ROWS } from "./access/webhooks.ts";

/** By method and path as the app has them. */
export const ACCESS_TABLE: Readonly<Record<string, Row>> = {
  ...ACCOUNT_ROWS,
  ...BATCH_ROWS,
  ...REGISTRY_ROWS,
  ...QUARANTINE_ROWS,
  ...OVERSIGHT_ROWS,
  ...WEBHOOK_ROWS,
  "GET /livez": publicly("/livez"),
  "GET /readyz": publicly("/readyz"),
  "GET /health": publicly("/health"),
  "GET /metrics": publicly("/metrics"),
  "GET /problems/:name": publicly("/problems/forbidden"),
  "GET /openapi.json": publicly("/openapi.json"),
  "GET /docs": publicly("/docs"),
  "GET /docs/:file": publicly("/docs/start.js"),
};
