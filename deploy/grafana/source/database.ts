/** PostgreSQL as the service feels it. Its own disk, memory and locks are for postgres_exporter. */
import { dashboard, INSTANCE, series } from "./panel.ts";

const stage = (name: string) => ({
  expr: `histogram_quantile(0.95, sum by (le) (rate(hydraulic_ingest_stage_seconds_bucket{instance=~"$instance",stage="${name}"}[$__rate_interval])))`,
  name,
});

export const database = dashboard(
  "hydraulic-database",
  "Hydraulic Ingest: database",
  "Queries and their line, COPY and COMMIT, the hourly aggregate, retention, and what the APIs know of rights.",
  [
    series({
      title: "Queries, p95",
      about: "By label in the code. Long ranges come from the hourly aggregate: see its lag.",
      unit: "s",
      curves: [
        {
          expr: `histogram_quantile(0.95, sum by (le, query) (rate(hydraulic_query_seconds_bucket${INSTANCE}[$__rate_interval])))`,
          name: "{{query}}",
        },
      ],
      warn: 1,
    }),
    series({
      title: "Queries a second",
      about: "All but COPY.",
      unit: "ops",
      curves: [
        {
          expr: `sum by (instance) (rate(hydraulic_query_seconds_count${INSTANCE}[$__rate_interval]))`,
          name: "{{instance}}",
        },
      ],
    }),
    series({
      title: "Queries that failed",
      about: "A second, by label. PostgreSQL away, a deadline, a connection that was cut.",
      unit: "ops",
      curves: [
        {
          expr: 'sum by (query) (rate(hydraulic_query_seconds_count{instance=~"$instance",ok="false"}[$__rate_interval]))',
          name: "{{query}}",
        },
      ],
      bad: 0.1,
    }),
    series({
      title: "Line of the readers",
      about:
        "Queries of readings that run and that wait; after 2 s of waiting they are refused. Alert: more than 1 waits.",
      unit: "short",
      curves: [{ expr: `sum by (state) (hydraulic_reader_queries${INSTANCE})`, name: "{{state}}" }],
    }),
    series({
      title: "Sessions of the console",
      about: "A minute: begun with a password, renewed by a tab in sight, ended by their visitors.",
      unit: "short",
      curves: [
        {
          expr: `60 * sum by (event) (rate(access_sessions_total${INSTANCE}[5m]))`,
          name: "{{event}}",
        },
      ],
    }),
    series({
      title: "Downloads",
      about:
        "Lists and readings that are being sent as files, and how many a minute ended, by how. Eight at once.",
      unit: "short",
      curves: [
        { expr: `sum(hydraulic_downloads${INSTANCE})`, name: "at once" },
        {
          expr: `60 * sum by (outcome) (rate(hydraulic_downloads_total${INSTANCE}[5m]))`,
          name: "{{outcome}}",
        },
      ],
    }),
    series({
      title: "Rows written by COPY",
      about: "A second.",
      unit: "short",
      curves: [{ expr: `sum(rate(hydraulic_copy_rows_total${INSTANCE}[$__rate_interval]))`, name: "rows" }],
    }),
    series({
      title: "COPY and COMMIT, p95",
      about: "Of a group of batches. Commit: the disk's sync; copy: index, locks, chunks.",
      unit: "s",
      curves: [stage("copy"), stage("commit")],
      warn: 1,
    }),
    series({
      title: "Hours that wait to be aggregated",
      about: "Queries read these hours from the readings: right, but slower.",
      unit: "short",
      curves: [{ expr: "max(hydraulic_rollup_dirty_hours)", name: "hours of systems" }],
    }),
    series({
      title: "Age of the oldest hour that waits",
      about: "Alert: three hours.",
      unit: "s",
      curves: [{ expr: "max(hydraulic_rollup_lag_seconds)", name: "age" }],
      bad: 10_800,
    }),
    series({
      title: "Aggregated",
      about: "Hours of systems, and rows of the log of changed hours, a second.",
      unit: "ops",
      curves: [
        { expr: "sum(rate(hydraulic_rollup_hours_total[$__rate_interval]))", name: "hours" },
        { expr: "sum(rate(hydraulic_rollup_log_rows_total[$__rate_interval]))", name: "rows of the log" },
      ],
    }),
    series({
      title: "Maintenance",
      about: "In an hour: rounds that failed, and chunks that retention dropped.",
      unit: "short",
      curves: [
        { expr: "sum(increase(hydraulic_maintenance_failures_total[1h]))", name: "failed" },
        { expr: "sum(increase(hydraulic_retention_chunks_dropped_total[1h]))", name: "chunks dropped" },
      ],
    }),
    series({
      title: "Rights, as each API knows them",
      about: "Seconds since they were read. Above 30 s revoked keys are not heard of.",
      unit: "s",
      curves: [{ expr: `max by (instance) (access_register_age_seconds${INSTANCE})`, name: "{{instance}}" }],
      bad: 30,
    }),
    series({
      title: "Users and keys",
      about: "That the APIs know.",
      unit: "short",
      curves: [{ expr: `max by (kind) (access_register_entries${INSTANCE})`, name: "{{kind}}" }],
    }),
  ],
);
