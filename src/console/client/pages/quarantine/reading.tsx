/** One refused reading: why, what the sensor did around it, what is stored now, and its history. */

import { useState } from "preact/hooks";
import type { QuarantinedReadingDetail } from "../../../../contract/quarantine-review.ts";
import type { UnitList } from "../../../../contract/registry.ts";
import type { ReviewAction, Selection } from "../../../../contract/review.ts";
import { useMayReview } from "../../lib/access.ts";
import { countOf, words } from "../../lib/format.ts";
import { useKeys } from "../../lib/list-keys.ts";
import { useResource } from "../../lib/resource.ts";
import { to, usePlace } from "../../lib/router.ts";
import { type Neighbours, useNeighbours } from "../../lib/trail.ts";
import { limitsOf } from "../../lib/units.ts";
import { StateBadge } from "../../ui/badge.tsx";
import { PageFrame, Panel } from "../../ui/page.tsx";
import { Shown } from "../../ui/states.tsx";
import { ActionButtons } from "./action-bar.tsx";
import { ActionDialog } from "./action-dialog.tsx";
import { AroundChart } from "./around-chart.tsx";
import { History } from "./history.tsx";
import { incidentReadings } from "./incidents.tsx";
import { NeighbourButtons } from "./neighbours.tsx";
import { ReadingFacts } from "./reading-facts.tsx";
import { UnknownName } from "./unknown-name.tsx";

export function ReadingPage({ id }: { id: string }) {
  const { query } = usePlace();
  const incident = query.get("incident");
  const [action, setAction] = useState<ReviewAction | null>(null);
  const neighbours = useNeighbours();
  // Also while it loads: who leafs through them is faster
  useKeys({ j: () => neighbours.next?.(), k: () => neighbours.before?.() });
  const reading = useResource<QuarantinedReadingDetail>(`/api/v1/quarantine/${id}`);
  // For the axis and the limits; without them the chart is drawn all the same.
  const units = useResource<UnitList>("/api/v1/units").data;
  return (
    <PageFrame
      title={`Reading #${id}`}
      above={incident ? [to("/quarantine"), "Incidents"] : [to("/quarantine/readings"), "Readings"]}
      side={
        <>
          <NeighbourButtons {...neighbours} />
          {reading.data ? <StateBadge state={reading.data.review_status} /> : null}
        </>
      }
    >
      <Shown of={reading}>
        {(data) => (
          <>
            <Decide
              action={action}
              setAction={setAction}
              reading={data}
              incident={incident}
              of={Number(query.get("of"))}
              neighbours={neighbours}
              onDone={reading.reload}
            />
            <UnknownName reading={data} onRevalidate={() => setAction("revalidate")} />
            <Panel title="The sensor around it" side={<ToChart reading={data} />}>
              <AroundChart reading={data} units={units} />
            </Panel>
            <div class="grid columns-2">
              <ReadingFacts reading={data} limits={limitsOf(data, units)} />
              <Panel title="History">
                <History entries={data.history} />
              </Panel>
            </div>
          </>
        )}
      </Shown>
    </PageFrame>
  );
}

/** The same stretch where it can be zoomed and moved. */
const ToChart = ({ reading: { sensor, system_id, around } }: { reading: QuarantinedReadingDetail }) =>
  sensor ? (
    <a href={to(`/systems/${system_id}/sensors/${sensor.id}`, { from: around.from, to: around.to })}>
      Zoom and move
    </a>
  ) : null;

interface DecideProps {
  /** What was asked for with a key, a button, or by what stands elsewhere on the page. */
  readonly action: ReviewAction | null;
  readonly setAction: (action: ReviewAction | null) => void;
  readonly reading: QuarantinedReadingDetail;
  /** Key of the incident that the visitor came from: then the decision is about all of it. */
  readonly incident: string | null;
  readonly of: number;
  readonly neighbours: Neighbours;
  readonly onDone: () => void;
}

function Decide({ action, setAction, reading, incident, of, neighbours, onDone }: DecideProps) {
  const mayReview = useMayReview();
  const act = (wanted: ReviewAction) => mayReview && setAction(wanted);
  useKeys({
    a: () => act("approve"),
    f: () => act("fix"),
    r: () => act("reject"),
    o: () => act("reopen"),
  });
  const target: Selection = incident ? { incident } : { ids: [reading.id] };
  const about = incident
    ? `the whole incident: ${of > 0 ? countOf(of, "reading") : "all readings"}, ${words(reading.reason)}`
    : `reading #${reading.id}`;
  return (
    <div class="panel">
      <div class="action-bar">
        <span class="chosen">
          About {about}
          {incident ? <OtherWays incident={incident} id={reading.id} /> : null}
        </span>
        {mayReview ? (
          <ActionButtons disabled={false} onAct={act} />
        ) : (
          <span class="muted">Your role may look, not act.</span>
        )}
      </div>
      {action ? (
        <ActionDialog
          action={action}
          targets={[target]}
          about={about}
          unit={reading.unit}
          system_id={reading.system_id}
          onClose={() => setAction(null)}
          onDone={onDone}
          onNext={neighbours.next}
        />
      ) : null}
    </div>
  );
}

/** From a decision about an incident to its readings, or to this one alone. */
const OtherWays = ({ incident, id }: { incident: string; id: number }) => (
  <>
    {" · "}
    <a href={incidentReadings(incident)}>look at them</a>
    {" · "}
    <a href={to(`/quarantine/readings/${id}`)}>only this reading</a>
  </>
);
