/** All queries of people over one reader. */
import { AuditStore } from "../audit.ts";
import { AlertListQueries } from "./alert-list.ts";
import { CompletenessQueries } from "./completeness.ts";
import { HourlyQueries } from "./hourly.ts";
import { JobListQueries } from "./job-list.ts";
import { LatestQueries } from "./latest.ts";
import { PendingQuery } from "./pending.ts";
import { QuarantineCountQueries } from "./quarantine-counts.ts";
import { QuarantineDetailQueries } from "./quarantine-detail.ts";
import { IncidentQueries } from "./quarantine-incidents.ts";
import { QuarantineListQueries } from "./quarantine-list.ts";

import { RangePreviewQueries } from "./range-preview.ts";
import type { Reader, RowReader } from "./reader.ts";
import { ReadingQueries } from "./readings.ts";
import { SeriesQueries } from "./series.ts";
import { SkewQueries } from "./skew.ts";
import { Subjects } from "./subjects.ts";
import { UserListQueries } from "./user-list.ts";

export interface Queries {
  readonly subjects: Subjects;
  readonly readings: ReadingQueries;
  readonly series: SeriesQueries;
  readonly hourly: HourlyQueries;
  readonly latest: LatestQueries;
  readonly jobs: JobListQueries;
  readonly completeness: CompletenessQueries;
  readonly skew: SkewQueries;
  readonly rangePreview: RangePreviewQueries;
  readonly quarantine: QuarantineListQueries;
  readonly quarantineCounts: QuarantineCountQueries;
  readonly incidents: IncidentQueries;
  readonly quarantinedReading: QuarantineDetailQueries;
  readonly pending: PendingQuery;
  readonly audit: AuditStore;
  readonly alerts: AlertListQueries;
  readonly users: UserListQueries;
}

/**
 * @param reader asks the primary: people see there what they have just changed
 * @param stored answers questions about stored readings, perhaps by a replica
 */
export function createQueries(reader: Reader, stored: RowReader = reader): Queries {
  return {
    subjects: new Subjects(stored),
    readings: new ReadingQueries(stored),
    series: new SeriesQueries(stored),
    hourly: new HourlyQueries(stored),
    latest: new LatestQueries(stored),
    jobs: new JobListQueries(reader),
    completeness: new CompletenessQueries(stored),
    skew: new SkewQueries(reader),
    rangePreview: new RangePreviewQueries(stored),
    quarantine: new QuarantineListQueries(reader),
    quarantineCounts: new QuarantineCountQueries(reader),
    incidents: new IncidentQueries(reader),
    quarantinedReading: new QuarantineDetailQueries(reader),
    pending: new PendingQuery(reader),
    audit: new AuditStore(reader),
    alerts: new AlertListQueries(reader),
    users: new UserListQueries(reader),
  };
}
