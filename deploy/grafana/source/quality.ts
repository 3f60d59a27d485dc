/** The readings themselves: what is refused, why, and what becomes of it. By system: the console's incidents. */
import { dashboard, INSTANCE, number, series } from "./panel.ts";

const ALL = `sum(rate(hydraulic_readings_total${INSTANCE}[$__rate_interval]))`;
const REFUSED = `sum(rate(hydraulic_readings_total{instance=~"$instance",outcome!~"inserted|duplicate_identical"}[$__rate_interval]))`;

export const quality = dashboard(
  "hydraulic-quality",
  "Hydraulic Ingest: quality",
  "How much is refused and why, duplicates, reviews, failed jobs. Figures have no system: that is the console's part.",
  [
    number({
      title: "Refused",
      about: "Share of all readings that went to quarantine.",
      unit: "percentunit",
      curves: [{ expr: `(${REFUSED} or vector(0)) / ${ALL}`, name: "of all" }],
      warn: 0.05,
      bad: 0.2,
    }),
    number({
      title: "Alerts of systems",
      about:
        "Systems of which more is refused than QUARANTINE_ALERT_*, or limits of their own, allow. Console, Overview, tells which.",
      unit: "short",
      curves: [{ expr: "max(hydraulic_quarantine_alerts_open)", name: "open" }],
      warn: 1,
    }),
    number({
      title: "Lost jobs",
      about:
        "In a day: accepted, and gone with Redis' data before they were stored. Their producers are told to send again.",
      unit: "short",
      curves: [{ expr: "sum(increase(hydraulic_jobs_lost_total[1d]))", name: "in a day" }],
      bad: 1,
    }),
    series({
      title: "Refused by reason",
      about: "A second. One reason that rises everywhere: units, a clock, a firmware.",
      unit: "short",
      stacked: true,
      curves: [
        {
          expr: `sum by (outcome) (rate(hydraulic_readings_total{instance=~"$instance",outcome!~"inserted|duplicate_identical"}[$__rate_interval]))`,
          name: "{{outcome}}",
        },
      ],
    }),
    series({
      title: "Sent again",
      about: "Identical readings that were there already, a second: producers that repeat batches.",
      unit: "short",
      curves: [
        {
          expr: 'sum(rate(hydraulic_readings_total{instance=~"$instance",outcome="duplicate_identical"}[$__rate_interval]))',
          name: "identical",
        },
      ],
    }),
    series({
      title: "Jobs by end",
      about: "A second. Failed: the system is not registered, or the batch could not be processed.",
      unit: "ops",
      stacked: true,
      curves: [
        {
          expr: `sum by (status) (rate(hydraulic_jobs_total${INSTANCE}[$__rate_interval]))`,
          name: "{{status}}",
        },
      ],
    }),
    series({
      title: "Share of jobs that fail",
      about: "Alert: above 5 %.",
      unit: "percentunit",
      curves: [
        {
          expr: `sum(rate(hydraulic_jobs_total{instance=~"$instance",status="failed"}[$__rate_interval])) / sum(rate(hydraulic_jobs_total${INSTANCE}[$__rate_interval]))`,
          name: "failed",
        },
      ],
      bad: 0.05,
    }),
    series({
      title: "Reviewed",
      about: "Quarantined readings that reviewers decided about, a second, by what they decided.",
      unit: "short",
      curves: [
        {
          expr: `sum by (outcome) (rate(hydraulic_review_readings_total${INSTANCE}[$__rate_interval]))`,
          name: "{{outcome}}",
        },
      ],
    }),
    series({
      title: "Alerts of systems, raised",
      about: "In an hour.",
      unit: "short",
      curves: [{ expr: "sum(increase(hydraulic_quarantine_alerts_total[1h]))", name: "raised" }],
    }),
    series({
      title: "Dead letters",
      about: "Waiting, and new ones in an hour.",
      unit: "short",
      curves: [
        { expr: "max(hydraulic_dead_letter_entries)", name: "waiting" },
        { expr: "sum(increase(hydraulic_dead_letters_total[1h]))", name: "new in an hour" },
      ],
      warn: 1,
    }),
  ],
);
