/** Those who work behind the API: ingest threads, maintenance, webhooks. */
import { dashboard, INSTANCE, quantiles, series } from "./panel.ts";

export const workers = dashboard(
  "hydraulic-workers",
  "Hydraulic Ingest: workers",
  "Threads and what they spend their time on; maintenance; webhooks.",
  [
    series({
      title: "Ingest threads by state",
      about:
        "All should run. `restarting` again and again: see HydraulicThreadRestarting in docs/operate.md.",
      unit: "short",
      stacked: true,
      curves: [{ expr: `sum by (state) (hydraulic_workers${INSTANCE})`, name: "{{state}}" }],
    }),
    series({
      title: "Batches in hand",
      about: "Of each thread: taken from the stream, not committed yet.",
      unit: "short",
      curves: [
        {
          expr: `max by (instance, slot) (hydraulic_worker_entries${INSTANCE})`,
          name: "{{instance}} {{slot}}",
        },
      ],
    }),
    series({
      title: "Threads replaced",
      about: "Since the process began, of each thread. Alert: more than 2 in 15 minutes.",
      unit: "short",
      curves: [
        {
          expr: `max by (instance, slot) (hydraulic_worker_restarts${INSTANCE})`,
          name: "{{instance}} {{slot}}",
        },
      ],
      warn: 3,
    }),
    series({
      title: "Age of the process",
      about: "A fall to zero is a start.",
      unit: "s",
      curves: [
        { expr: `time() - max by (instance) (process_start_time_seconds${INSTANCE})`, name: "{{instance}}" },
      ],
    }),
    series({
      title: "Time of a transaction by stage",
      about: "Mean of a group of batches. Large copy or commit: PostgreSQL's disk, locks or checkpoints.",
      unit: "s",
      stacked: true,
      curves: [
        {
          expr: `sum by (stage) (rate(hydraulic_ingest_stage_seconds_sum${INSTANCE}[$__rate_interval])) / sum by (stage) (rate(hydraulic_ingest_stage_seconds_count${INSTANCE}[$__rate_interval]))`,
          name: "{{stage}}",
        },
      ],
    }),
    series({
      title: "Transactions by way",
      about: "A second. `direct` is the fast one; `sifted` and `staged` cost more and are for duplicates.",
      unit: "ops",
      stacked: true,
      curves: [
        {
          expr: `sum by (way) (rate(hydraulic_copy_groups_total${INSTANCE}[$__rate_interval]))`,
          name: "{{way}}",
        },
      ],
    }),
    series({
      title: "Rows of a transaction",
      about: "Mean. More rows at once are cheaper; few under load mean too many threads.",
      unit: "short",
      curves: [
        {
          expr: `sum(rate(hydraulic_copy_rows_total${INSTANCE}[$__rate_interval])) / sum(rate(hydraulic_copy_groups_total${INSTANCE}[$__rate_interval]))`,
          name: "rows",
        },
      ],
    }),
    series({
      title: "Repeats while Redis or PostgreSQL is away",
      about: "A second, by what was away. Nothing is lost meanwhile. Alert: above 0.05.",
      unit: "ops",
      curves: [
        {
          expr: `sum by (fault) (rate(hydraulic_ingest_retries_total${INSTANCE}[$__rate_interval]))`,
          name: "{{fault}}",
        },
      ],
      bad: 0.05,
    }),
    series({
      title: "Leaders",
      about: "Of maintenance and of webhooks. There is one of each: none or two is an alert.",
      unit: "short",
      curves: [
        { expr: "sum(hydraulic_maintenance_leading)", name: "maintenance" },
        { expr: "sum(hydraulic_webhook_dispatching)", name: "webhooks" },
      ],
      bad: 2,
    }),
    series({
      title: "Webhooks: deliveries that wait",
      about: "Those of a receiver that fails wait for its next attempt.",
      unit: "short",
      curves: [
        { expr: "max(hydraulic_webhook_pending)", name: "waiting" },
        { expr: "max(hydraulic_webhook_disabled)", name: "webhooks disabled" },
        { expr: "max(hydraulic_webhook_overflowing)", name: "webhooks overflowing" },
      ],
    }),
    series({
      title: "Webhooks: attempts by result",
      about: "A second: delivered, retried, given up, gone (410).",
      unit: "ops",
      curves: [
        {
          expr: `sum by (result) (rate(hydraulic_webhook_attempts_total${INSTANCE}[$__rate_interval]))`,
          name: "{{result}}",
        },
      ],
    }),
    series({
      title: "Webhooks: length of an attempt",
      about: "What receivers take to answer.",
      unit: "s",
      curves: quantiles("hydraulic_webhook_attempt_seconds"),
      warn: 10,
    }),
    series({
      title: "Webhooks: oldest delivery that waits",
      about: "Alert: three hours.",
      unit: "s",
      curves: [{ expr: "max(hydraulic_webhook_oldest_pending_seconds)", name: "age" }],
      bad: 10_800,
    }),
  ],
);
