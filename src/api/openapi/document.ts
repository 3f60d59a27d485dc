/** The parts of the OpenAPI document that belong to no single route. */
import type { GenerateSpecOptions } from "hono-openapi";
import { SESSION_COOKIE } from "../auth/session-cookie.ts";
import { componentSchemas } from "./components.ts";

/** Names of the security schemes. */
export const BEARER_SCHEME = "bearer";
const SESSION_SCHEME = "session";
/** What a route that takes a token says: either way of sending it. */
export const SECURITY = [{ [BEARER_SCHEME]: [] }, { [SESSION_SCHEME]: [] }];
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
        { name: "Operation", description: "Probes, metrics and documentation" },
      ],
      components: {
        schemas: componentSchemas(),
        securitySchemes: {
          [BEARER_SCHEME]: { type: "http", scheme: "bearer", bearerFormat: "JWT" },
          [SESSION_SCHEME]: { type: "apiKey", in: "cookie", name: SESSION_COOKIE },
        },
      },
    },
  };
}
