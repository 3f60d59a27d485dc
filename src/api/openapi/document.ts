/** The parts of the OpenAPI document that belong to no single route. */
import type { GenerateSpecOptions } from "hono-openapi";
import { API_KEY_HEADER } from "../auth/api-keys.ts";
import { SESSION_COOKIE } from "../auth/session-cookie.ts";
import { componentSchemas } from "./components.ts";
import { WEBHOOK_MESSAGES } from "./webhook-messages.ts";

/** Names of the security schemes. */
const BEARER_SCHEME = "bearer";
const SESSION_SCHEME = "session";
const KEY_SCHEME = "key";
/** What a route that asks who it is says: any way of showing it. A key may also be sent as a bearer token. */
export const SECURITY = [{ [BEARER_SCHEME]: [] }, { [SESSION_SCHEME]: [] }, { [KEY_SCHEME]: [] }];
/** The same for what no API key may do. */
export const SECURITY_WITHOUT_KEYS = [{ [BEARER_SCHEME]: [] }, { [SESSION_SCHEME]: [] }];
/** What a route says that asks nobody who they are. */
export const PUBLIC: { [scheme: string]: string[] }[] = [];

export function openApiOptions(version: string): Partial<GenerateSpecOptions> {
  return {
    excludeStaticFile: false,
    documentation: {
      info: {
        title: "Hydraulic Ingest",
        version,
        description:
          "Takes batches of sensor readings of hydraulic rigs. Log in, send a batch, poll its job. " +
          "Errors are problem details (RFC 9457). A method that a path does not have is answered with 405 and Allow.",
        license: { name: "Proprietary", identifier: "LicenseRef-Proprietary" },
      },
      servers: [{ url: "/", description: "The service that this document came from" }],
      tags: [
        { name: "Access", description: "Tokens, sessions, users and API keys" },
        { name: "Ingest", description: "Batches of readings and their jobs" },
        { name: "Registry", description: "Systems, sensors, their ranges, and units" },
        { name: "Queries", description: "Stored readings, what is made of them, and jobs" },
        { name: "Quarantine", description: "Refused readings, and decisions about them" },
        { name: "Oversight", description: "Dead letters, alerts, workers, and who did what" },
        { name: "Webhooks", description: "Addresses that are told of ended jobs and of alerts" },
        { name: "Operation", description: "Probes, metrics and documentation" },
      ],
      webhooks: WEBHOOK_MESSAGES,
      components: {
        schemas: componentSchemas(),
        securitySchemes: {
          [BEARER_SCHEME]: {
            type: "http",
            scheme: "bearer",
            bearerFormat: "JWT",
            description:
              "A token of POST /api/v1/auth/login or of the identity provider, or an API key; `Token` may stand for " +
              "`Bearer`, as InfluxDB's clients write it",
          },
          [SESSION_SCHEME]: { type: "apiKey", in: "cookie", name: SESSION_COOKIE },
          [KEY_SCHEME]: { type: "apiKey", in: "header", name: API_KEY_HEADER },
        },
      },
    },
  };
}
