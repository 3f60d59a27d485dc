/** From the request to the commit: is what comes in also stored? */
import { dashboard, INSTANCE, number, quantiles, series } from "./panel.ts";

const INTAKE = '{instance=~"$instance",route=~"/api/v1/data/ingest|/api/v2/write"}';

export const ingest = dashboard(
  "hydraulic-ingest",
  "Hydraulic Ingest",
  "What comes in, what waits, and how long it takes until it is stored. Details: Workers, Quality, Database.",
  [
    number({
      title: "Readings stored",
      about: "New readings a second, over all systems.",
      unit: "short",
      curves: [
        {
          expr: 'sum(rate(hydraulic_readings_total{outcome="inserted"}[$__rate_interval]))',
          name: "stored a second",
        },
      ],
    }),
    number({
      title: "Backlog",
      about: "How full the fullest partition is. At 100 % batches are refused with 503.",
      unit: "percentunit",
      curves: [{ expr: "max(hydraulic_backlog_fill_ratio)", name: "of its bound" }],
      warn: 0.5,
      bad: 0.9,
    }),
    number({
      title: "Dead letters",
      about: "Batches that were put aside with their payload. They wait for somebody: docs/operate.md.",
      unit: "short",
      curves: [{ expr: "max(hydraulic_dead_letter_entries)", name: "batches" }],
      warn: 1,
    }),
    number({
      title: "APIs",
      about: "APIs that Prometheus reaches.",
      unit: "short",
      curves: [{ expr: 'count(up{job=~"(.*/)?hydraulic-api"} == 1)', name: "up" }],
    }),
    number({
      title: "Threads",
      about: "Ingest threads that run, in all workers.",
      unit: "short",
      curves: [{ expr: 'sum(hydraulic_workers{state="running"})', name: "running" }],
    }),
    number({
      title: "Answers with 5xx",
      about: "Share of all answers; 503 with Retry-After is the service protecting what it took.",
      unit: "percentunit",
      curves: [
        {
          expr: `(sum(rate(http_requests_total{instance=~"$instance",status=~"5.."}[$__rate_interval])) or vector(0)) / sum(rate(http_requests_total${INSTANCE}[$__rate_interval]))`,
          name: "of all",
        },
      ],
      warn: 0.01,
      bad: 0.05,
    }),
    series({
      title: "Readings by outcome",
      about:
        "A second: inserted, identical ones that were only counted, and the reason of what is quarantined.",
      unit: "short",
      stacked: true,
      curves: [
        {
          expr: `sum by (outcome) (rate(hydraulic_readings_total${INSTANCE}[$__rate_interval]))`,
          name: "{{outcome}}",
        },
      ],
    }),
    series({
      title: "Accepted readings by format",
      about: "A second, when they were answered with 202.",
      unit: "short",
      stacked: true,
      curves: [
        {
          expr: `sum by (format) (rate(hydraulic_accepted_readings_total${INSTANCE}[$__rate_interval]))`,
          name: "{{format}}",
        },
      ],
    }),
    series({
      title: "Accepted batches by format",
      about: "A second. Batches of 1,000 to 10,000 readings cost the least.",
      unit: "reqps",
      stacked: true,
      curves: [
        {
          expr: `sum by (format) (rate(hydraulic_accepted_batches_total${INSTANCE}[$__rate_interval]))`,
          name: "{{format}}",
        },
      ],
    }),
    series({
      title: "Acceptance to commit",
      about: "From 202 until the readings can be queried. Alert: p95 above 5 s.",
      unit: "s",
      curves: quantiles("hydraulic_accept_to_commit_seconds"),
      bad: 5,
    }),
    series({
      title: "Answers of the intake",
      about: "How long a producer waits for its 202, without the time that it needs to send the body.",
      unit: "s",
      curves: quantiles("http_request_duration_seconds", INTAKE),
      warn: 1,
    }),
    series({
      title: "Answers by status",
      about: "A second, of all routes.",
      unit: "reqps",
      curves: [
        {
          expr: `sum by (status) (rate(http_requests_total${INSTANCE}[$__rate_interval]))`,
          name: "{{status}}",
        },
      ],
    }),
    series({
      title: "Batches in the stream",
      about:
        "All that are not stored yet, and those that no thread has taken. Alert: more than 1,000 not taken.",
      unit: "short",
      curves: [
        { expr: "max(hydraulic_stream_entries)", name: "in the stream" },
        { expr: "max(hydraulic_stream_lag_entries)", name: "not taken" },
        { expr: "max(hydraulic_stream_too_new_entries)", name: "of a newer version" },
      ],
      bad: 1000,
    }),
    series({
      title: "Bytes in the stream",
      about: "Payload that waits in Redis. Its maxmemory must be above BACKLOG_MAX_BYTES of all partitions.",
      unit: "bytes",
      curves: [{ expr: "max(hydraulic_stream_bytes)", name: "bytes" }],
    }),
    series({
      title: "Redis",
      about: "1 while the API reaches Redis and may write. At 0 nothing is accepted.",
      unit: "short",
      curves: [{ expr: `min by (instance) (hydraulic_redis_up${INSTANCE})`, name: "{{instance}}" }],
    }),
    series({
      title: "Jobs that are followed",
      about: "Event streams and waiting requests (Prefer: wait), by kind.",
      unit: "short",
      curves: [{ expr: `sum by (kind) (hydraulic_job_followers${INSTANCE})`, name: "{{kind}}" }],
    }),
    series({
      title: "Event streams",
      about:
        "Of jobs and of the overview, and how many a minute found no place: a user may have 100 open, a process 1,000.",
      unit: "short",
      curves: [
        { expr: `sum(hydraulic_event_streams${INSTANCE})`, name: "open" },
        {
          expr: `60 * sum by (bound) (rate(hydraulic_event_streams_refused_total${INSTANCE}[5m]))`,
          name: "refused: {{bound}}",
        },
      ],
    }),
  ],
);
