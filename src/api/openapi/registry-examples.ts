/** Examples of the registry that work as they are against a development start. */
import { DEMO_SYSTEM_ID } from "../../contract/demo.ts";
import { mappingId, mappingText } from "../../contract/series.ts";
import { DEMO_SENSOR_ID } from "./examples.ts";

const AT = "2025-11-07T22:50:02.000Z";
const USER_ID = "0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a10";
const UNIT_RANGE = { min: 0, max: 700, source: "ISO 4413", version: null };
const OWN_RANGE = { min: 0, max: 350, source: "sensor", version: 1 };

export const NEW_SYSTEM_EXAMPLE = { name: "Press 2", description: "400 t, hall 3" };
export const SYSTEM_CHANGE_EXAMPLE = { description: "Hall 1, next to the gate" };
export const SYSTEM_EXAMPLE = {
  id: DEMO_SYSTEM_ID,
  name: "Demo press",
  description: "",
  created_at: AT,
  updated_at: AT,
  archived_at: null,
};
export const SYSTEM_PAGE_EXAMPLE = { items: [SYSTEM_EXAMPLE], next: null };

export const NEW_SENSOR_EXAMPLE = {
  name: "Main pump pressure",
  unit: "bar",
  expected_rate_hz: 1,
  range: { min: 0, max: 350 },
};
export const SENSOR_CHANGE_EXAMPLE = { expected_rate_hz: 10 };
export const SENSOR_EXAMPLE = {
  id: DEMO_SENSOR_ID,
  system_id: DEMO_SYSTEM_ID,
  name: "Main pump pressure",
  quantity: "pressure",
  unit: "bar",
  range: OWN_RANGE,
  expected_rate_hz: 1,
  created_by: USER_ID,
  created_at: AT,
  updated_at: AT,
  archived_at: null,
};
export const SENSOR_DETAIL_EXAMPLE = {
  ...SENSOR_EXAMPLE,
  first_reading_at: "2025-11-07T22:50:00Z",
  last_reading_at: "2025-11-07T22:50:01.250000Z",
};
export const SENSOR_PAGE_EXAMPLE = {
  items: [{ ...SENSOR_EXAMPLE, range: UNIT_RANGE, created_by: null }],
  next: null,
};

const MAPPED = { measurement: "pump", field: "pressure", tags: { line: "1" } };
export const MAPPING_ID_EXAMPLE = mappingId(DEMO_SYSTEM_ID, MAPPED);
export const NEW_MAPPING_EXAMPLE = {
  ...MAPPED,
  sensor_id: DEMO_SENSOR_ID,
  unit: "psi",
};
export const MAPPING_EXAMPLE = {
  id: MAPPING_ID_EXAMPLE,
  system_id: DEMO_SYSTEM_ID,
  label: mappingText(MAPPED),
  name: null,
  ...MAPPED,
  sensor_id: DEMO_SENSOR_ID,
  sensor_name: "Main pump pressure",
  unit: "psi",
  author: USER_ID,
  author_name: "admin",
  created_at: AT,
  updated_at: AT,
};

export const RANGE_CHANGE_EXAMPLE = { min: 0, max: 350 };
const RANGE_VERSION_EXAMPLE = {
  version: 1,
  min: 0,
  max: 350,
  valid_from: AT,
  author: USER_ID,
  author_name: "admin",
  created_at: AT,
};
export const RANGE_STATE_EXAMPLE = { unit: "bar", in_force: OWN_RANGE, newest: RANGE_VERSION_EXAMPLE };
export const RANGE_VERSION_PAGE_EXAMPLE = { items: [RANGE_VERSION_EXAMPLE], next: null };
export const RANGE_PREVIEW_EXAMPLE = {
  unit: "bar",
  min: 0,
  max: 120,
  from: "2025-11-01T00:00:00Z",
  to: "2025-11-08T00:00:00Z",
  readings: 2,
  refused: 1,
  below: 0,
  above: 1,
  lowest: 118.2,
  highest: 125.5,
};

export const UNIT_LIST_EXAMPLE = {
  items: [
    {
      symbol: "celsius",
      name: "degree Celsius",
      quantity: "temperature",
      min: -40,
      max: 120,
      source: "ISO 4413",
      aliases: [{ spellings: ["°F", "degF"], offset: "-32", factor: "5/9" }],
    },
  ],
};
