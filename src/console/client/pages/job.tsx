/** One job: how it went in time, what became of its readings, and what can be done. */

import { useState } from "preact/hooks";
import type { JobView } from "../../../contract/job.ts";
import type { DeadLetterView } from "../../../contract/oversight.ts";
import type { OwnRefusal } from "../../../contract/quarantine.ts";
import type { QuarantineCounts, QuarantinedReading } from "../../../contract/quarantine-review.ts";
import { useIsReader, useMayReview } from "../lib/access.ts";
import { count, countOf, duration, percent, shortId } from "../lib/format.ts";
import { useList } from "../lib/list.ts";
import { useSystemNames } from "../lib/names.ts";
import { useResource } from "../lib/resource.ts";
import { queryText, to } from "../lib/router.ts";
import type { Page } from "../types.ts";
import { StateBadge } from "../ui/badge.tsx";
import { ListView } from "../ui/list.tsx";
import { Facts, PageFrame, Panel } from "../ui/page.tsx";
import { ProblemBox, Shown } from "../ui/states.tsx";
import { Time } from "../ui/time.tsx";
import { ConfirmDialog } from "./confirm.tsx";
import { OwnRefusedTable, RefusedTable } from "./quarantine/refused-table.tsx";

const ACTIVE_MS = 1_500;

export function JobPage({ id }: { id: string }) {
  const [active, setActive] = useState(true);
  const job = useResource<JobView>(`/api/v1/jobs/${id}/`, active ? ACTIVE_MS : 0);
  if (job.data && job.data.is_active !== active) setActive(job.data.is_active);
  return (
    <PageFrame
      title={`Job ${shortId(id)}`}
      above={[to("/jobs"), "Jobs"]}
      side={job.data ? <StateBadge state={job.data.status} /> : null}
    >
      <Shown of={job}>{(data) => <JobBody job={data} reload={job.reload} />}</Shown>
    </PageFrame>
  );
}

function JobBody({ job, reload }: { job: JobView; reload: () => void }) {
  const nameOf = useSystemNames();
  const isReader = useIsReader();
  return (
    <>
      {job.status === "failed" ? <FailedJob job={job} reload={reload} /> : null}
      <div class="grid columns-2">
        <Panel title="Readings">
          <Facts
            items={[
              [
                "Job",
                <code key="id" class="id">
                  {job.job_id}
                </code>,
              ],
              [
                "System",
                <a key="system" href={to(`/systems/${job.system_id}`)}>
                  {nameOf(job.system_id)}
                </a>,
              ],
              ["Total", countOf(job.total_readings, "reading")],
              ["Good", percent(job.success_rate == null ? null : job.success_rate / 100)],
            ]}
          />
          <SharesBar job={job} />
        </Panel>
        <Panel title="Timeline">
          <Timeline job={job} />
        </Panel>
      </div>
      {job.quarantined_readings > 0 ? (
        isReader ? (
          <JobQuarantine job={job} />
        ) : (
          <OwnRefusals job={job} />
        )
      ) : null}
    </>
  );
}

function SharesBar({ job }: { job: JobView }) {
  const parts = [
    ["stored", job.inserted_readings],
    ["duplicate", job.duplicate_readings],
    ["quarantined", job.quarantined_readings],
  ] as const;
  const total = Math.max(1, job.total_readings);
  return (
    <div class="panel-body">
      <div class="bar" role="img" aria-label={parts.map(([name, n]) => `${count(n)} ${name}`).join(", ")}>
        {parts.map(([name, n]) => (
          <span key={name} class={`bar-${name}`} style={{ width: `${(n / total) * 100}%` }} />
        ))}
      </div>
      <p class="legend">
        {parts.map(([name, n]) => (
          <span key={name}>
            <i class={`bar-${name}`} /> <strong>{count(n)}</strong> {name}
          </span>
        ))}
      </p>
    </div>
  );
}

function Timeline({ job }: { job: JobView }) {
  const waited = job.started_at === null ? null : Date.parse(job.started_at) - Date.parse(job.created_at);
  const steps = [
    ["Received", job.created_at, null],
    ["Taken by a worker", job.started_at, waited === null ? null : `after ${duration(waited)}`],
    [
      job.status === "failed" ? "Failed" : "Committed",
      job.completed_at,
      `took ${duration(job.processing_time_ms)}`,
    ],
  ] as const;
  return (
    <ol class="timeline">
      {steps.map(([name, at, more]) => (
        <li key={name}>
          <span
            class={`dot${at ? (name === "Failed" ? " dot-lost" : " dot-live") : ""}`}
            aria-hidden="true"
          />
          <span>{name}</span>
          <span>
            <Time at={at} precise /> {at && more ? <span class="muted small nowrap">{more}</span> : null}
          </span>
        </li>
      ))}
    </ol>
  );
}

/** Says why, shows what was buried, and offers to try again. */
function FailedJob({ job, reload }: { job: JobView; reload: () => void }) {
  const isReader = useIsReader();
  const letters = useResource<Page<DeadLetterView>>(
    isReader ? `/api/v1/dead-letters?${queryText({ job_id: job.job_id })}` : null,
  );
  const [asking, setAsking] = useState(false);
  const mayReview = useMayReview();
  const letter = letters.data?.items[0];
  return (
    <Panel
      title="Why it failed"
      side={
        <div class="chart-tools">
          {letter ? <a href={to(`/dead-letters/${letter.id}`)}>Look at the payload</a> : null}
          {mayReview && letter ? (
            <button type="button" class="button" onClick={() => setAsking(true)}>
              Replay
            </button>
          ) : null}
        </div>
      }
    >
      <p class="panel-body">{job.error_message ?? "No message was left."}</p>
      {letters.error ? <ProblemBox problem={letters.error} retry={letters.reload} /> : null}
      {letters.data && !letter ? (
        <p class="panel-body muted">No dead letter holds its payload, so there is nothing to replay.</p>
      ) : null}
      {asking ? (
        <ConfirmDialog
          title="Replay this job"
          explanation="The kept payload goes back into the stream and is processed like a new batch of the same job."
          path={`/api/v1/jobs/${job.job_id}/replay`}
          verb="Replay"
          done="The job was sent again."
          onClose={() => setAsking(false)}
          onDone={() => {
            letters.reload();
            reload();
          }}
        />
      ) : null}
    </Panel>
  );
}

const NO_LONGER_KEPT =
  "The job's counts tell how many were refused; the readings themselves are kept no longer.";

function JobQuarantine({ job: { job_id } }: { job: JobView }) {
  const query = queryText({ job_id, status: "any" });
  const list = useList<QuarantinedReading>(`/api/v1/quarantine?${query}&limit=50`);
  const counts = useResource<QuarantineCounts>(`/api/v1/quarantine/counts?${query}`);
  const nameOf = (id: string) => counts.data?.sensors.find((sensor) => sensor.id === id)?.name ?? null;
  return (
    <Panel
      title="Quarantined readings"
      side={<a href={to("/quarantine/readings", { job_id, status: "any" })}>Review</a>}
    >
      <ListView list={list} empty="None is left" emptyHint={NO_LONGER_KEPT}>
        {(items) => <RefusedTable items={items} nameOf={nameOf} />}
      </ListView>
    </Panel>
  );
}

/** What producers see: why, in the order of their batch. Deciding is for others. */
function OwnRefusals({ job: { job_id } }: { job: JobView }) {
  const list = useList<OwnRefusal>(`/api/v1/jobs/${job_id}/quarantine?limit=50`);
  return (
    <Panel title="Quarantined readings">
      <ListView list={list} empty="None is left" emptyHint={NO_LONGER_KEPT}>
        {(items) => <OwnRefusedTable items={items} />}
      </ListView>
    </Panel>
  );
}
