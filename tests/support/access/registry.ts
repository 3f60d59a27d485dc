/** Systems, sensors, what is asked of their readings, and units. */
import { EDITORS, EVERYBODY, inSensor, inSystem, list, looks, READERS, type Row, unique } from "./row.ts";

export const REGISTRY_ROWS: Readonly<Record<string, Row>> = {
  "GET /api/v1/systems": list(EVERYBODY, "/api/v1/systems?limit=1000"),
  "POST /api/v1/systems": {
    may: EDITORS,
    scopes: ["write"],
    good: 201,
    limited: 403,
    ask: () => ({ path: "/api/v1/systems", body: { name: "new" } }),
  },
  "GET /api/v1/systems/:system_id": inSystem(EVERYBODY, "read", ""),
  "PATCH /api/v1/systems/:system_id": inSystem(EDITORS, "write", "", { body: { description: "x" } }),
  "DELETE /api/v1/systems/:system_id": inSystem(EDITORS, "write", ""),
  "POST /api/v1/systems/:system_id/restore": inSystem(EDITORS, "write", "/restore"),
  "GET /api/v1/systems/:system_id/alert-limits": inSystem(READERS, "read", "/alert-limits"),
  "PUT /api/v1/systems/:system_id/alert-limits": inSystem(EDITORS, "write", "/alert-limits", {
    body: { share: 0.5 },
  }),
  "GET /api/v1/systems/:system_id/sensors": inSystem(EVERYBODY, "read", "/sensors"),
  "POST /api/v1/systems/:system_id/sensors": inSystem(EDITORS, "write", "/sensors", {
    good: 201,
    body: () => ({ name: unique(), unit: "bar" }),
  }),
  "GET /api/v1/systems/:system_id/sensors/:sensor_id": inSensor(EVERYBODY, "read", ""),
  "PATCH /api/v1/systems/:system_id/sensors/:sensor_id": inSensor(EDITORS, "write", "", {
    body: { expected_rate_hz: 1 },
  }),
  "DELETE /api/v1/systems/:system_id/sensors/:sensor_id": inSystem(
    EDITORS,
    "write",
    async (world, at) => `/sensors/${await world.sensor(at)}`,
  ),
  "POST /api/v1/systems/:system_id/sensors/:sensor_id/restore": inSensor(EDITORS, "write", "/restore"),
  "GET /api/v1/systems/:system_id/sensors/:sensor_id/range": inSensor(EVERYBODY, "read", "/range"),
  "PUT /api/v1/systems/:system_id/sensors/:sensor_id/range": inSensor(EDITORS, "write", "/range", {
    body: { min: 0, max: 350 },
  }),
  "GET /api/v1/systems/:system_id/sensors/:sensor_id/ranges": inSensor(EVERYBODY, "read", "/ranges"),
  "GET /api/v1/systems/:system_id/sensors/:sensor_id/range/preview": inSensor(
    EVERYBODY,
    "read",
    "/range/preview?min=0&max=1",
  ),
  "GET /api/v1/systems/:system_id/sensors/:sensor_id/readings": inSensor(EVERYBODY, "read", "/readings"),
  "GET /api/v1/systems/:system_id/sensors/:sensor_id/hourly": inSensor(EVERYBODY, "read", "/hourly"),
  "GET /api/v1/systems/:system_id/sensors/:sensor_id/gaps": inSensor(EVERYBODY, "read", "/gaps"),
  "GET /api/v1/systems/:system_id/series": inSystem(
    EVERYBODY,
    "read",
    (_, at) => `/series?sensors=${at.sensor_id}`,
  ),
  "GET /api/v1/systems/:system_id/hourly": inSystem(EVERYBODY, "read", "/hourly"),
  "GET /api/v1/systems/:system_id/latest": inSystem(EVERYBODY, "read", "/latest"),
  "GET /api/v1/systems/:system_id/completeness": inSystem(EVERYBODY, "read", "/completeness"),
  "GET /api/v1/systems/:system_id/mappings": inSystem(EVERYBODY, "read", "/mappings"),
  "PUT /api/v1/systems/:system_id/mappings": {
    ...inSystem(EDITORS, "write", "/mappings", { good: 201 }),
    ask: (_, at) => ({
      path: `/api/v1/systems/${at.system_id}/mappings`,
      body: { name: unique(), sensor_id: at.sensor_id },
    }),
  },
  "DELETE /api/v1/systems/:system_id/mappings/:mapping_id": inSystem(
    EDITORS,
    "write",
    async (world, at) => `/mappings/${await world.mapping(at)}`,
    { good: 204 },
  ),
  "GET /api/v1/units": looks(EVERYBODY, "/api/v1/units"),
  "GET /api/v1/producers/skew": list(EDITORS, "/api/v1/producers/skew", {
    shows: ({ producer_id }) => producer_id,
  }),
};
