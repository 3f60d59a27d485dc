/** What the routes of the registry share: which system or sensor is meant, who may change it, and what went wrong. */
import type { Context } from "hono";
import type { ProblemName } from "../../contract/problem.ts";
import type { SensorKey } from "../../contract/registry-records.ts";
import { RegistryError, type RegistryFault } from "../../store/registry-errors.ts";
import type { ReadJson } from "../body/small-json.ts";
import type { RouteDeps } from "../deps.ts";
import { versionTag } from "../etag.ts";
import { pathUuid } from "../parameters.ts";
import { ProblemError } from "../problem-error.ts";

export { REGISTRY_EDITORS } from "../../contract/roles.ts";

/** What the routes of the registry are given: they share one bound for small bodies. */
export interface RegistryDeps extends RouteDeps {
  readonly readJson: ReadJson;
}

/** `:system_id` of the path. @throws {ProblemError} invalid-request */
export function systemIdOf(c: Context): string {
  return pathUuid(c, "system_id");
}

/** `:system_id` and `:sensor_id` of the path. @throws {ProblemError} invalid-request */
export function sensorKeyOf(c: Context): SensorKey {
  return { system_id: pathUuid(c, "system_id"), sensor_id: pathUuid(c, "sensor_id") };
}

/** The outcome of a call of the store, its faults as problems. @throws {ProblemError} */
export async function registryAnswer<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof RegistryError) throw toProblem(error.fault, error);
    throw error;
  }
}

function toProblem(fault: RegistryFault, cause: RegistryError): ProblemError {
  switch (fault.kind) {
    case "system_not_found":
      return new ProblemError("system-not-found", { cause });
    case "sensor_not_found":
      return new ProblemError("sensor-not-found", { cause });
    case "id_taken":
      return aboutField("id-taken", "/id", "The id is taken by another system or sensor.", cause);
    case "name_taken":
      return aboutField("name-taken", "/name", "Another sensor of this system has this name.", cause);
    case "archived": {
      const detail = `The ${fault.what} is archived; restore it first (POST …/restore).`;
      return new ProblemError("archived", { detail, cause });
    }
    case "unit_in_use":
      return aboutField("unit-in-use", "/unit", UNIT_HOLDERS[fault.by], cause);
    case "mappings_full":
      return new ProblemError("mappings-full", { cause });
    case "version_conflict":
      return new ProblemError("version-conflict", {
        detail: `The newest version is ${fault.newest}; If-Match names another.`,
        headers: { ETag: versionTag(fault.newest) },
        cause,
      });
  }
}

const UNIT_HOLDERS = {
  readings: "The sensor has stored readings in its unit; register another sensor for another unit.",
  range:
    "The sensor has a range of its own in its unit, now or later; set it back to the unit's range first.",
} as const;

function aboutField(problem: ProblemName, pointer: string, detail: string, cause: Error): ProblemError {
  return new ProblemError(problem, { detail, errors: [{ pointer, detail }], cause });
}
