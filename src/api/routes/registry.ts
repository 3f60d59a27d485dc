/** The routes of systems, sensors, ranges and units. Their bodies have a few fields and share one bound. */
import type { App } from "../app-env.ts";
import { smallJson } from "../body/small-json.ts";
import type { RouteDeps } from "../deps.ts";
import { mountAlertLimits } from "./alert-limits.ts";
import { mountMappings } from "./mappings.ts";
import type { RegistryDeps } from "./registry-access.ts";
import { mountSensor } from "./sensor.ts";
import { mountSensorRange } from "./sensor-range.ts";
import { mountSensorRangePreview } from "./sensor-range-preview.ts";
import { mountSensorRanges } from "./sensor-ranges.ts";
import { mountSensors } from "./sensors.ts";
import { mountSystem } from "./system.ts";
import { mountSystems } from "./systems.ts";
import { mountUnits } from "./units.ts";

/** The longest description fits with every character escaped. */
const MAX_REGISTRY_BYTES = 32_768;

export function mountRegistry(app: App, given: RouteDeps): void {
  const deps: RegistryDeps = {
    ...given,
    readJson: smallJson(MAX_REGISTRY_BYTES, given.config.BODY_TIMEOUT_MS),
  };
  mountSystems(app, deps);
  mountSystem(app, deps);
  mountAlertLimits(app, deps);
  mountSensors(app, deps);
  mountSensor(app, deps);
  mountSensorRange(app, deps);
  mountSensorRanges(app, deps);
  mountSensorRangePreview(app, deps);
  mountMappings(app, deps);
  mountUnits(app, deps);
}
