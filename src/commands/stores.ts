/** The stores over the pool of the database. */
import { AlertStore } from "../store/alerts.ts";
import { JobStore } from "../store/jobs.ts";
import { MappingStore } from "../store/mappings.ts";
import type { Database } from "../store/pool.ts";
import { QuarantineStore } from "../store/quarantine.ts";
import { SensorRangeStore } from "../store/sensor-ranges.ts";
import { SensorStore } from "../store/sensors.ts";
import { SystemStore } from "../store/systems.ts";
import { UserStore } from "../store/users.ts";
import { DeliveryLog } from "../store/webhooks/deliveries.ts";
import { WebhookStore } from "../store/webhooks/webhooks.ts";

/** What requests read and write in PostgreSQL, one statement or one transaction at a time. */
export function storesOf(database: Database) {
  return {
    users: new UserStore(database),
    jobs: new JobStore(database),
    quarantine: new QuarantineStore(database),
    systems: new SystemStore(database),
    sensors: new SensorStore(database),
    mappings: new MappingStore(database),
    alerts: new AlertStore(database),
    ranges: new SensorRangeStore(database),
    webhooks: new WebhookStore(database),
    deliveries: new DeliveryLog(database),
  };
}
