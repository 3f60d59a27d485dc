/** Answers of the fake API that need more than a list. */
import type { AlertLimitsState, AlertView } from "../../src/contract/alert.ts";
import type {
  DeadLetterDetail,
  DeadLetterView,
  Overview,
  OverviewHistoryView,
  WorkerView,
} from "../../src/contract/oversight.ts";

import type { QuarantinedReadingDetail } from "../../src/contract/quarantine-review.ts";
import type { SensorCompleteness, Series } from "../../src/contract/query.ts";
import type {
  RangePreview,
  RangeState,
  RangeVersion,
  Sensor,
  UnitList,
} from "../../src/contract/registry.ts";
import { USERS } from "./console-access.ts";
import { COUNTS, curve, IDS, JOBS, NOW_MS, REFUSED, SENSORS, SYSTEMS } from "./console-fixtures.ts";
import { HISTORY } from "./console-record.ts";

const HOUR_MS = 3_600_000;
const iso = (ms: number) => new Date(ms).toISOString();

export function refusedDetail(id: number): QuarantinedReadingDetail | null {
  const item = REFUSED.find((refused) => refused.id === id);
  if (!item) return null;
  const { id: sensor_id, name, quantity, unit } = SENSORS[0]!;
  const at_ms = item.timestamp === null ? NOW_MS : Date.parse(item.timestamp);
  const [from_ms, to_ms] = [at_ms - 4 * 60_000, at_ms + 4 * 60_000];
  return {
    ...item,
    system: { id: IDS.system, name: "Press 2" },
    sensor: { id: sensor_id, name, quantity, unit },
    stored:
      item.reason === "duplicate" ? { timestamp: iso(at_ms), value: 181.2, unit: "bar", quality: 97 } : null,
    rule: { version: 2, min: 0, max: 350, valid_from: iso(NOW_MS - 200 * HOUR_MS), author_name: "engineer" },
    around: {
      from: iso(from_ms),
      to: iso(to_ms),
      items: curve(from_ms, to_ms, 240, true),
      refused: REFUSED.slice(0, 30).flatMap(({ id: other, timestamp, ...rest }) =>
        timestamp === null || other === id
          ? []
          : [
              {
                id: other,
                timestamp,
                value: rest.value,
                unit: rest.unit,
                reason: rest.reason,
                review_status: rest.review_status,
              },
            ],
      ),
    },
    history: [...HISTORY],
  };
}

export function overview(): Overview {
  const wave = Math.sin(Date.now() / 4_000);
  return {
    at: new Date().toISOString(),
    accepted_rows_per_s: Math.round(41_000 + 3_000 * wave),
    committed_rows_per_s: Math.round(40_600 + 2_000 * wave),
    backlog: { entries: 14, bytes: 5_242_880, lag: 9 },
    workers: { processes: 1, threads: 4, running: 2, in_hand: 18 },
    quarantined_share: 0.0342,
    database: "up",
    pending: COUNTS.total.count,
    jobs: JOBS.slice(0, 10),
    alerts: ALERTS.slice(0, 1),
  };
}

/** Four minutes of it, a point every two seconds. */
export const overviewHistory = (): OverviewHistoryView => ({
  points: Array.from({ length: 120 }, (_, i) => ({
    at: iso(Date.now() - (240 - i * 2) * 1_000),
    accepted_rows_per_s: 41_000 + 3_000 * Math.sin(i / 4),
    committed_rows_per_s: 40_600 + 2_000 * Math.sin(i / 4),
  })),
});

export const ALERTS: readonly AlertView[] = [
  { resolved_at: null, share: 0.088, peak_share: 0.341 },
  { resolved_at: iso(NOW_MS - 30 * HOUR_MS), share: 0.021, peak_share: 0.074 },
].map((alert, index) => ({
  id: 70 - index,
  system_id: SYSTEMS[index]!.id,
  system_name: SYSTEMS[index]!.name,
  raised_at: iso(NOW_MS - (index * 31 + 1) * HOUR_MS),
  back_since: null,
  limit: 0.05,
  window_s: 3_600,
  min_readings: 1_000,
  readings: 120_000,
  quarantined: 10_560,
  acknowledged_at: index === 0 ? iso(NOW_MS - HOUR_MS / 2) : null,
  acknowledged_by: index === 0 ? "m.lindqvist" : null,
  acknowledged_note: index === 0 ? "The gateway sends psi as bar since its update; fixed tonight" : null,
  ...alert,
}));

/** In force for every system. */
export const ALERT_LIMITS: AlertLimitsState = {
  in_force: { share: 0.2, window_s: 900, min_readings: 1_000 },
  own: { share: 0.2, window_s: 900, min_readings: null },
  author_name: "m.lindqvist",
  updated_at: iso(NOW_MS - 50 * HOUR_MS),
};

export const WORKERS: readonly WorkerView[] = ["running", "running", "waiting", "draining"].map(
  (state, index) => ({
    name: `ingest-host-a:4121:mb2k:${index}`,
    process: "ingest-host-a:4121:mb2k",
    state,
    heartbeat_age_ms: 180 + index * 700,
    restarts: index === 2 ? 4 : 0,
    in_hand: index * 3,
  }),
);

const letterJob = {
  job_id: IDS.failedJob,
  system_id: IDS.system,
  created_by: USERS[3]!.id,
  total_readings: 10_000,
  received_at: iso(NOW_MS - 3 * 61_000),
};
export const LETTERS: readonly DeadLetterView[] = [
  {
    id: IDS.letter,
    reason: "gave up after 3 attempts (SQLSTATE XX001)",
    buried_at: iso(NOW_MS - 2 * 61_000),
    size_bytes: 812_204,
    job: letterJob,
  },
  {
    id: "1/1764220000000-3",
    reason: "the entry cannot be decoded",
    buried_at: iso(NOW_MS - 40 * HOUR_MS),
    size_bytes: 412,
    job: null,
  },
];
export const PAYLOAD: DeadLetterDetail["payload"] = {
  encoding: "json",
  truncated: true,
  body: JSON.stringify({ system_id: IDS.system, readings: REFUSED.slice(0, 12).map(({ raw }) => raw) }),
};

const subject = ({ id, name, quantity, unit }: Sensor) => ({ id, name, quantity, unit });

export function completeness(from_ms: number, to_ms: number, ids: readonly string[]): SensorCompleteness[] {
  const hours = Math.round((to_ms - from_ms) / HOUR_MS);
  return SENSORS.filter(({ id }) => ids.length === 0 || ids.includes(id)).map((sensor, row) => {
    const rows = Array.from({ length: hours }, (_, index) => {
      const share =
        row === 1 && index < 5
          ? 0
          : (index + row * 3) % 11 === 4
            ? 0.62
            : row === 0 && index === hours - 2
              ? 0.1
              : 1;
      return {
        hour: iso(from_ms + index * HOUR_MS),
        expected: 3_600,
        received: 3_600 * share,
        completeness: share,
      };
    });
    const received = rows.reduce((sum, hour) => sum + hour.received, 0);
    return {
      sensor: subject(sensor),
      rate_hz: 1,
      rate_source: "expected",
      expected: hours * 3_600,
      received,
      completeness: received / (hours * 3_600),
      hours: rows,
    };
  });
}

export function series(from_ms: number, to_ms: number): Series {
  const bucket_ms = Math.max(1_000, Math.round((to_ms - from_ms) / 600));
  return {
    from: iso(from_ms),
    to: iso(to_ms),
    source: "raw",
    bucket_ms,
    points: 600,
    series: [{ sensor: subject(SENSORS[0]!), items: curve(from_ms, to_ms, 600, true) }],
  };
}

export const UNITS: UnitList = {
  items: [
    {
      symbol: "bar",
      name: "bar",
      quantity: "pressure",
      min: 0,
      max: 700,
      source: "ISO 4413",
      aliases: [{ spellings: ["psi"], offset: "0", factor: "0.0689475729" }],
    },
  ],
};

/** Versions of the first sensor's own range, newest first: one to come, one in force, one before it. */
export const RANGES: readonly RangeVersion[] = [
  { version: 3, min: 5, max: 320, valid_from: iso(NOW_MS + 48 * HOUR_MS), author_name: "engineer" },
  { version: 2, min: 0, max: 350, valid_from: iso(NOW_MS - 200 * HOUR_MS), author_name: "engineer" },
  { version: 1, min: null, max: null, valid_from: iso(NOW_MS - 700 * HOUR_MS), author_name: null },
].map((version) => ({ ...version, author: IDS.admin, created_at: iso(NOW_MS - 200 * HOUR_MS) }));

export const rangeState = (): RangeState => ({
  unit: "bar",
  in_force: SENSORS[0]!.range,
  newest: RANGES[0]!,
});

export const rangePreview = (
  asked: Pick<RangePreview, "min" | "max">,
  from_ms: number,
  to_ms: number,
): RangePreview => ({
  ...asked,
  unit: "bar",
  from: iso(from_ms),
  to: iso(to_ms),
  readings: 604_800,
  refused: 1_204,
  below: 0,
  above: 1_204,
  lowest: 12.4,
  highest: 348.9,
});
