/** Alerts about quarantined readings, newest first: one leader at a time raises them, so ids rise with time. */
import type { AlertView } from "../../contract/alert.ts";
import type { Reach } from "../../contract/reach.ts";
import { Conditions } from "./conditions.ts";
import type { QueryOptions, Reader } from "./reader.ts";

export const ALERT_STATES = ["open", "resolved", "any"] as const;

/** As conditions that an index on the open ones serves. */
const STATES = {
  open: "a.resolved_at IS NULL",
  resolved: "a.resolved_at IS NOT NULL",
  any: "true",
} as const satisfies Record<(typeof ALERT_STATES)[number], string>;

export interface AlertFilter {
  readonly state: (typeof ALERT_STATES)[number];
  readonly system_id: string | null;
  /** Only about these systems. */
  readonly reach: Reach;
  readonly limit: number;
  /** Id of the last one seen. */
  readonly after: number | null;
}

export interface AlertPage {
  readonly items: readonly AlertView[];
  /** Pass as `after`; null at the end. */
  readonly next: number | null;
}

export class AlertListQueries {
  constructor(private readonly reader: Reader) {}

  /** Throws what `Reader.rows` throws. */
  async page(
    { state, system_id, reach, limit, after }: AlertFilter,
    options?: QueryOptions,
  ): Promise<AlertPage> {
    const where = new Conditions([limit + 1])
      .add(system_id, (p) => `a.system_id = ${p}`)
      .within("a.system_id", reach)
      .add(after, (p) => `a.id < ${p}`);
    const rows = await this.reader.rows<AlertView>(
      {
        label: "list of alerts",
        text: `SELECT a.id, a.system_id, s.name AS system_name, a.raised_at, a.resolved_at, a.back_since, a.share,
            a.peak_share, a.share_limit AS "limit", a.window_s, a.min_readings, a.readings, a.quarantined,
            a.acknowledged_at, a.acknowledged_by, a.acknowledged_note
          FROM diagnostics_quarantine_alert a LEFT JOIN diagnostics_system s ON s.id = a.system_id
          WHERE ${STATES[state]} ${where.also} ORDER BY a.id DESC LIMIT $1`,
        values: where.values,
      },
      options,
    );
    const items = rows.slice(0, limit);
    return { items, next: rows.length > limit ? (items.at(-1)?.id ?? null) : null };
  }
}
