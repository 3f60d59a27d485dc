/** What goes on right now, from server-sent events; every figure says its unit. */

import { useCallback, useMemo, useState } from "preact/hooks";
import type { HistoryPoint, Overview, OverviewHistoryView, WorkerView } from "../../../contract/oversight.ts";
import { type LinkState, useEvents } from "../lib/events.ts";
import { brief, bytes, count, percent } from "../lib/format.ts";
import { useResource } from "../lib/resource.ts";
import { to } from "../lib/router.ts";
import type { Page } from "../types.ts";
import { PageFrame, Panel } from "../ui/page.tsx";
import { Empty, Loading, ProblemBox, Shown } from "../ui/states.tsx";
import { Time } from "../ui/time.tsx";
import { AlertTable } from "./alerts.tsx";
import { JobTable } from "./job-table.tsx";
import { Throughput, type ThroughputPoint } from "./throughput.tsx";
import { WorkerTable } from "./workers.tsx";

const KEPT_POINTS = 300;
const WORKERS_MS = 5_000;

export function OverviewPage() {
  const [now, setNow] = useState<Overview | null>(null);
  const [points, setPoints] = useState<readonly ThroughputPoint[]>([]);
  const onEvent = useCallback((event: Overview) => {
    setNow(event);
    setPoints((old) => [...old, pointOf(event)].slice(-KEPT_POINTS));
  }, []);
  const state = useEvents<Overview>("/api/v1/overview/events", "overview", onEvent);
  // Without events there is still a picture, and the reason why there are none.
  const first = useResource<Overview>("/api/v1/overview");
  const shown = now ?? first.data;
  const history = useResource<OverviewHistoryView>("/api/v1/overview/history");
  const all = useMemo(() => before(history.data?.points ?? [], points), [history.data, points]);
  return (
    <PageFrame title="Overview" side={<LinkBadge state={state} at={shown?.at ?? null} />}>
      {!shown && first.error ? <ProblemBox problem={first.error} retry={first.reload} /> : null}
      {!shown && !first.error ? <Loading /> : null}
      {shown ? <OverviewBody now={shown} points={all} /> : null}
    </PageFrame>
  );
}

const pointOf = ({ at, accepted_rows_per_s, committed_rows_per_s }: HistoryPoint): ThroughputPoint => ({
  at_s: Date.parse(at) / 1000,
  accepted: accepted_rows_per_s,
  committed: committed_rows_per_s,
});

/** What the service knew before this page listened, then what it has heard. */
function before(
  history: readonly HistoryPoint[],
  heard: readonly ThroughputPoint[],
): readonly ThroughputPoint[] {
  const begin_s = heard[0]?.at_s ?? Number.POSITIVE_INFINITY;
  return [...history.map(pointOf).filter(({ at_s }) => at_s < begin_s), ...heard];
}

const LINK_TEXT: Readonly<Record<LinkState, string>> = {
  connecting: "Connecting…",
  live: "Live",
  lost: "Connection lost, reconnecting…",
};

const LinkBadge = ({ state, at }: { state: LinkState; at: string | null }) => (
  <>
    <span class="link-state" role="status">
      <span class={`dot dot-${state}`} aria-hidden="true" />
      {LINK_TEXT[state]}
    </span>
    {at ? (
      <span class="muted small">
        as of <Time at={at} />
      </span>
    ) : null}
  </>
);

function OverviewBody({ now, points }: { now: Overview; points: readonly ThroughputPoint[] }) {
  return (
    <>
      {now.database === "down" ? (
        <div class="problem" role="alert">
          <p class="problem-title">PostgreSQL does not answer</p>
          <p>
            Batches are accepted and wait in the backlog. Jobs, alerts and readings to review are as they were
            before.
          </p>
        </div>
      ) : null}
      <Figures now={now} />
      <div class="grid columns-2">
        <div class="column">
          <Panel title="Rows per second">
            <Throughput points={points} />
          </Panel>
          <Panel title="Newest jobs" side={<a href={to("/jobs")}>All jobs</a>}>
            {now.jobs.length > 0 ? (
              <JobTable jobs={now.jobs} />
            ) : (
              <Empty title="No jobs yet">
                What is sent shows here at once. How to send: the <a href="/docs">description of the API</a>.
              </Empty>
            )}
          </Panel>
        </div>
        <div class="column">
          <Panel title="Open alerts" side={<a href={to("/alerts")}>All alerts</a>}>
            {now.alerts.length > 0 ? (
              <AlertTable alerts={now.alerts} />
            ) : (
              <Empty title="No open alerts">No system has more in quarantine than its limit allows.</Empty>
            )}
          </Panel>
          <LiveWorkers />
        </div>
      </div>
    </>
  );
}

function LiveWorkers() {
  const workers = useResource<Page<WorkerView>>("/api/v1/workers", WORKERS_MS);
  return (
    <Panel title="Workers" side={<a href={to("/workers")}>Details</a>}>
      <Shown of={workers}>
        {({ items }) =>
          items.length > 0 ? (
            <WorkerTable workers={items} brief />
          ) : (
            <Empty title="No worker is running">Accepted batches wait in the backlog until one starts.</Empty>
          )
        }
      </Shown>
    </Panel>
  );
}

function Figures({ now }: { now: Overview }) {
  const { entries, bytes: size, lag } = now.backlog;
  return (
    <section class="figures-row" aria-label="Key figures">
      <Figure name="Accepted" value={brief(now.accepted_rows_per_s)} unit="rows/s" />
      <Figure name="Committed" value={brief(now.committed_rows_per_s)} unit="rows/s" />
      <Figure name="Backlog" value={brief(entries)} unit="batches" more={`${bytes(size)} in Redis`} />
      <Figure
        name="Lag"
        value={lag == null ? "–" : brief(lag)}
        unit="batches"
        more="not yet taken by a worker"
      />
      <Figure
        name="Quarantined"
        value={percent(now.quarantined_share, 2)}
        more="of what was judged just now"
      />
      <Figure
        name="Waiting for review"
        value={now.pending === null ? "–" : count(now.pending)}
        unit="readings"
        href={to("/quarantine")}
      />
    </section>
  );
}

interface FigureProps {
  readonly name: string;
  readonly value: string;
  readonly unit?: string;
  readonly more?: string;
  readonly href?: string;
}

const Figure = ({ name, value, unit, more, href }: FigureProps) => (
  <div class="figure">
    <p class="figure-name">{href ? <a href={href}>{name}</a> : name}</p>
    <p class="figure-value">
      {value} {unit ? <span class="unit">{unit}</span> : null}
    </p>
    {more ? <p class="figure-more">{more}</p> : null}
  </div>
);
