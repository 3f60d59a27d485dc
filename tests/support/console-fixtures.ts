/** What the console's tests show: a press with a pressure sensor that sent psi labelled as bar, and what follows. */
import type { JobView } from "../../src/contract/job.ts";
import type { MappingView } from "../../src/contract/mapping.ts";
import type { Incident, QuarantineCounts, QuarantinedReading } from "../../src/contract/quarantine-review.ts";
import type { SeriesPoint } from "../../src/contract/query.ts";
import type { RefusalReason } from "../../src/contract/refusal.ts";
import type { EffectiveRange, Sensor, System } from "../../src/contract/registry.ts";

const HOUR_MS = 3_600_000;
/** Of the last full minute: relative times then read well, and everything is in the recent past. */
export const NOW_MS = Math.floor(Date.now() / 60_000) * 60_000;
export const ago = (ms: number) => new Date(NOW_MS - ms).toISOString();
const uuid = (n: number) => `0199a1b2-c3d4-7e5f-8a9b-${n.toString(16).padStart(12, "0")}`;

export const IDS = {
  system: uuid(0x1001),
  sensor: uuid(0x2001),
  job: uuid(0x3001),
  failedJob: uuid(0x3002),
  task: uuid(0x4001),
  admin: uuid(0x5001),
  reading: 48_213,
  letter: "0/1764226800000-0",
  webhook: uuid(0x6001),
  key: uuid(0x7001),
};

export const SYSTEMS: readonly System[] = (
  [
    [IDS.system, "Press 2", "400 t, hall 3"],
    [
      uuid(0x1002),
      "Test rig 7",
      "Endurance rig for axial piston pumps, long-running programme with daily changes",
    ],
    [uuid(0x1003), "Injection moulding 12", ""],
  ] as const
).map(([id, name, description]) => ({
  id,
  name,
  description,
  created_at: ago(900 * HOUR_MS),
  updated_at: ago(90 * HOUR_MS),
  archived_at: null,
}));

/** As sensors are called that their first reading registered. */
const UNNAMED = "sensor-0199a1b2c3d47e5f8a9b000000002005";
const UNIT_RANGE = { min: 0, max: 700, source: "ISO 4413", version: null };
const SENSOR_ROWS: readonly (readonly [string, string, string, string, EffectiveRange, number | null])[] = [
  [
    IDS.sensor,
    "Main pump pressure",
    "pressure",
    "bar",
    { min: 0, max: 350, source: "sensor", version: 2 },
    1,
  ],
  [
    uuid(0x2002),
    "Tank temperature",
    "temperature",
    "celsius",
    { min: -40, max: 120, source: "ISO 4413", version: null },
    null,
  ],
  [uuid(0x2003), "Return flow", "flow", "lpm", { min: 0, max: 1000, source: "ISO 4413", version: null }, 10],
  [uuid(0x2004), "Pilot pressure", "pressure", "bar", UNIT_RANGE, 1],
  [uuid(0x2005), UNNAMED, "pressure", "bar", UNIT_RANGE, null],
];
export const SENSORS: readonly Sensor[] = SENSOR_ROWS.map(
  ([id, name, quantity, unit, range, expected_rate_hz]) => ({
    id,
    system_id: IDS.system,
    name,
    quantity,
    unit,
    range,
    expected_rate_hz,
    created_by: IDS.admin,
    created_at: ago(800 * HOUR_MS),
    updated_at: ago(80 * HOUR_MS),
    archived_at: null,
  }),
);

const MAPPING_ROWS = [
  ["S7-1200/DB1.PT4", null, null, null, "psi"],
  [null, "pump", "pressure", { line: "1", host: "gateway of hall 3" }, null],
] as const;
export const MAPPINGS: readonly MappingView[] = MAPPING_ROWS.map(
  ([name, measurement, field, tags, unit], index) => ({
    id: uuid(0x8001 + index),
    system_id: IDS.system,
    label: name ?? `${measurement},line=1 ${field}`,
    name,
    measurement,
    field,
    tags: tags && { ...tags },
    sensor_id: SENSORS[index]!.id,
    sensor_name: SENSORS[index]!.name,
    unit,
    author: IDS.admin,
    author_name: index === 0 ? "engineer" : null,
    created_at: ago(700 * HOUR_MS),
    updated_at: ago(70 * HOUR_MS),
  }),
);

export const JOBS: readonly JobView[] = Array.from({ length: 12 }, (_, index) => {
  const failed = index === 3;
  const quarantined = index === 0 ? 3_412 : index % 4 === 0 ? 12 : 0;
  const duplicate = index % 5 === 0 ? 40 : 0;
  return {
    job_id: index === 0 ? IDS.job : failed ? IDS.failedJob : uuid(0x3010 + index),
    system_id: SYSTEMS[index % 3]?.id ?? "",
    status: failed ? "failed" : index === 1 ? "processing" : "completed",
    total_readings: 10_000,
    inserted_readings: failed || index === 1 ? 0 : 10_000 - quarantined - duplicate,
    duplicate_readings: failed ? 0 : duplicate,
    quarantined_readings: failed ? 0 : quarantined,
    created_at: ago(index * 61_000 + 5_000),
    started_at: ago(index * 61_000 + 4_880),
    completed_at: index === 1 ? null : ago(index * 61_000 + 4_617),
    processing_time_ms: index === 1 ? null : 263,
    error_message: failed
      ? "Gave up after 3 attempts: the database refused the batch (SQLSTATE XX001)."
      : null,
    success_rate: index === 1 ? null : failed ? 0 : (10_000 - quarantined) / 100,
    is_active: index === 1,
    is_completed: index !== 1,
  };
});

const REASONS = ["out_of_range", "duplicate", "invalid_unit", "invalid_timestamp", "parse_error"] as const;
const DETAILS: Readonly<Partial<Record<RefusalReason, string>>> = {
  out_of_range: "value 2451.3 bar is above the sensor's own limit of 350 bar",
  duplicate: "another value is stored for this moment: 181.2 bar",
  invalid_unit: 'unit "PSIG" is not known',
  invalid_timestamp: "2027-03-01T00:00:00Z is more than 5 minutes in the future",
  parse_error: "/value is missing",
};

export const REFUSED: readonly QuarantinedReading[] = Array.from({ length: 40 }, (_, index) => {
  const reason = index < 24 ? "out_of_range" : (REASONS[index % REASONS.length] ?? "duplicate");
  const value = Math.round((2_451.3 + Math.sin(index) * 40) * 10) / 10;
  const timestamp = reason === "parse_error" ? null : ago(90 * 60_000 + index * 1_000 - 378);
  return {
    id: IDS.reading - index,
    job_id: IDS.job,
    ordinal: 512 + index,
    system_id: IDS.system,
    sensor_id: reason === "parse_error" ? null : IDS.sensor,
    timestamp,
    value: reason === "parse_error" ? null : value,
    unit: reason === "invalid_unit" ? "PSIG" : "bar",
    quality: 96,
    raw: { sensor_id: IDS.sensor, timestamp, value, unit: "bar", quality: 96 },
    reason,
    reason_details: DETAILS[reason] ?? "",
    range_version: reason === "out_of_range" ? 2 : null,
    quarantined_at: ago(88 * 60_000),
    review_status: "pending",
    reviewed_by: null,
    reviewed_by_name: null,
    reviewed_at: null,
    review_notes: null,
    review_task_id: null,
    stored_by_job: null,
  };
});

const none = { pending: 0, approved: 0, rejected: 0, fixed: 0 };
const INCIDENT_ROWS: readonly (readonly [
  string,
  string | null,
  RefusalReason,
  number,
  Incident["statuses"],
  number,
])[] = [
  ["i-1", "Main pump pressure", "out_of_range", 3_412, { ...none, pending: 3_412 }, 0],
  ["i-2", UNNAMED, "duplicate", 214, { ...none, pending: 180, rejected: 34 }, 26],
  ["i-3", "Tank temperature", "invalid_unit", 96, { ...none, pending: 96 }, 27],
  ["i-4", null, "parse_error", 3, { ...none, pending: 3 }, 29],
];
export const INCIDENTS: readonly Incident[] = INCIDENT_ROWS.map(
  ([key, sensor_name, reason, count, statuses, sample], index) => ({
    key,
    system_id: IDS.system,
    system_name: "Press 2",
    sensor_id: sensor_name ? (SENSORS[index]?.id ?? null) : null,
    sensor_name,
    unit: sensor_name ? "bar" : null,
    reason,
    first_at: ago((index + 2) * HOUR_MS - 786),
    last_at: ago(90 * 60_000 + index * HOUR_MS - 214),
    count,
    statuses,
    sample: REFUSED[sample]!,
  }),
);

const of = (count: number, capped = false) => ({ count, capped });
export const COUNTS: QuarantineCounts = {
  total: of(3_725),
  reasons: {
    invalid_timestamp: of(0),
    system_not_found: of(0),
    out_of_range: of(3_412),
    duplicate: of(214),
    invalid_unit: of(96),
    parse_error: of(3),
  },
  statuses: { pending: of(3_725), approved: of(120), fixed: of(10_000, true), rejected: of(34) },
  systems: [{ id: IDS.system, name: "Press 2", ...of(3_725) }],
  sensors: SENSORS.map(({ id, name, system_id }, index) => ({
    id,
    name,
    system_id,
    ...of(3_412 - index * 900),
  })),
};

/** A curve with a gap where the readings were refused. */
export function curve(from_ms: number, to_ms: number, points: number, withGap: boolean): SeriesPoint[] {
  const step_ms = (to_ms - from_ms) / points;
  return Array.from({ length: points }, (_, index) => {
    const avg = 170 + 25 * Math.sin(index / 11) + 6 * Math.sin(index * 1.7);
    const timestamp = new Date(Math.round(from_ms + index * step_ms)).toISOString();
    return { timestamp, min: avg - 5, avg, max: avg + 6, count: 60 };
  }).filter((_, index) => !withGap || index < points * 0.45 || index > points * 0.6);
}
