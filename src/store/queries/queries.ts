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
import type { Reader } from "./reader.ts";
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

export function createQueries(reader: Reader): Queries {
  return {
    subjects: new Subjects(reader),
    readings: new ReadingQueries(reader),
    series: new SeriesQueries(reader),
    hourly: new HourlyQueries(reader),
    latest: new LatestQueries(reader),
    jobs: new JobListQueries(reader),
    completeness: new CompletenessQueries(reader),
    skew: new SkewQueries(reader),
    rangePreview: new RangePreviewQueries(reader),
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
