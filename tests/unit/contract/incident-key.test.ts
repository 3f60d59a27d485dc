/** Keys of incidents: what goes in comes out, and garbage is told from keys. */
import { expect, test } from "bun:test";
import {
  decodeIncidentKey,
  encodeIncidentKey,
  type IncidentKey,
} from "../../../src/contract/incident-key.ts";

const KEY: IncidentKey = {
  system_id: "550e8400-e29b-41d4-a716-446655440000",
  sensor_id: "550e8400-e29b-41d4-a716-446655440001",
  reason: "out_of_range",
  first_at: "2026-06-01T10:15:00.000001Z",
  last_at: "2026-06-01T11:15:00Z",
};
const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

test.each([KEY, { ...KEY, sensor_id: null }, { ...KEY, first_at: KEY.last_at }])(
  "a key comes back as it was: %j",
  (key) => {
    expect(decodeIncidentKey(encodeIncidentKey(key))).toEqual(key);
  },
);

test("times of other zones become UTC, which the database can read whatever the zone", () => {
  const key = [
    KEY.system_id,
    KEY.sensor_id,
    KEY.reason,
    "2026-06-01T12:00:00.5+23:59",
    "2026-06-01T00:00:00-23:59",
  ];
  expect(decodeIncidentKey(encoded(key))).toEqual({
    ...KEY,
    first_at: "2026-05-31T12:01:00.500000Z",
    last_at: "2026-06-01T23:59:00Z",
  });
});

test.each([
  "",
  "x",
  "W10",
  encoded({}),
  encoded([KEY.system_id, KEY.sensor_id, KEY.reason, KEY.first_at]),
  encoded([KEY.system_id, null, KEY.reason, KEY.first_at, KEY.last_at]),
  encoded([KEY.system_id, "y", KEY.reason, KEY.first_at, KEY.last_at]),
  encoded(["", KEY.sensor_id, KEY.reason, KEY.first_at, KEY.last_at]),
  encoded([KEY.system_id, KEY.sensor_id, "boredom", KEY.first_at, KEY.last_at]),
  encoded([KEY.system_id, KEY.sensor_id, KEY.reason, "now", KEY.last_at]),
  encoded([KEY.system_id, KEY.sensor_id, KEY.reason, KEY.last_at, KEY.first_at]),
  encoded([KEY.system_id, KEY.sensor_id, KEY.reason, "0000-12-31T00:00:00Z", KEY.last_at]),
  encoded(["x".repeat(500)]),
])("is no key: %s", (text) => {
  expect(decodeIncidentKey(text)).toBeNull();
});
