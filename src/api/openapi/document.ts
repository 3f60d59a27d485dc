/** The parts of the OpenAPI document that belong to no single route. */
import type { GenerateSpecOptions } from "hono-openapi";
import { componentSchemas } from "./components.ts";

/** Name of the security scheme that routes refer to. */
export const BEARER_SCHEME = "bearer";

export function openApiOptions(version: string): Partial<GenerateSpecOptions> {
  return {
    excludeStaticFile: false,
    documentation: {
      info: {
        title: "Hydraulic Ingest",
        version,
        description:
          "Takes batches of sensor readings of hydraulic rigs. Log in, send a batch, poll its job. " +
          "Errors are problem details (RFC 9457).",
      },
      tags: [
        { name: "Access", description: "Tokens" },
        { name: "Ingest", description: "Batches of readings and their jobs" },
        { name: "Registry", description: "Systems, sensors, their ranges, and units" },
        { name: "Queries", description: "Stored readings, what is made of them, and jobs" },
        { name: "Quarantine", description: "Refused readings for those who review them" },
        { name: "Operation", description: "Probes, metrics and documentation" },
      ],
      components: {
        schemas: componentSchemas(),
        securitySchemes: { [BEARER_SCHEME]: { type: "http", scheme: "bearer", bearerFormat: "JWT" } },
      },
    },
  };
}
