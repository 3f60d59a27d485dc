/** One refused reading: why, what the sensor did around it, what is stored now, and its history. */

import { useState } from "preact/hooks";
import type { QuarantinedReadingDetail } from "../../../../contract/quarantine-review.ts";
import type { UnitList } from "../../../../contract/registry.ts";
import type { ReviewAction, Selection } from "../../../../contract/review.ts";
import { useMayReview } from "../../lib/access.ts";
import { count, words } from "../../lib/format.ts";
import { useResource } from "../../lib/resource.ts";
import { to, usePlace } from "../../lib/router.ts";
import { limitsOf } from "../../lib/units.ts";
import { StateBadge } from "../../ui/badge.tsx";
import { PageFrame, Panel } from "../../ui/page.tsx";
import { Shown } from "../../ui/states.tsx";
import { ActionButtons } from "./action-bar.tsx";
import { ActionDialog } from "./action-dialog.tsx";
import { AroundChart } from "./around-chart.tsx";
import { KeysHelp } from "./help.tsx";
import { History } from "./history.tsx";
import { incidentReadings } from "./incidents.tsx";
import { useKeys } from "./keys.ts";
import { ReadingFacts } from "./reading-facts.tsx";

export function ReadingPage({ id }: { id: string }) {
  const { query } = usePlace();
  const incident = query.get("incident");
  const reading = useResource<QuarantinedReadingDetail>(`/api/v1/quarantine/${id}`);
  // For the axis and the limits; without them the chart is drawn all the same.
  const units = useResource<UnitList>("/api/v1/units").data;
  return (
    <PageFrame
      title={`Reading #${id}`}
      above={incident ? [to("/quarantine"), "Incidents"] : [to("/quarantine/readings"), "Readings"]}
      side={reading.data ? <StateBadge state={reading.data.review_status} /> : null}
    >
      <Shown of={reading}>
        {(data) => (
          <>
            <Decide reading={data} incident={incident} of={Number(query.get("of"))} onDone={reading.reload} />
            <Panel title="The sensor around it">
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

interface DecideProps {
  readonly reading: QuarantinedReadingDetail;
  /** Key of the incident that the visitor came from: then the decision is about all of it. */
  readonly incident: string | null;
  readonly of: number;
  readonly onDone: () => void;
}

function Decide({ reading, incident, of, onDone }: DecideProps) {
  const [action, setAction] = useState<ReviewAction | null>(null);
  const [help, setHelp] = useState(false);
  const mayReview = useMayReview();
  const act = (wanted: ReviewAction) => mayReview && setAction(wanted);
  useKeys({
    a: () => act("approve"),
    f: () => act("fix"),
    r: () => act("reject"),
    o: () => act("reopen"),
    "?": () => setHelp(true),
  });
  const target: Selection = incident ? { incident } : { ids: [reading.id] };
  const about = incident
    ? `the whole incident: ${of > 0 ? `${count(of)} readings` : "all readings"}, ${words(reading.reason)}`
    : `reading #${reading.id}`;
  return (
    <div class="panel">
      <div class="action-bar">
        <span class="chosen">
          About {about}
          {incident ? (
            <>
              {" · "}
              <a href={incidentReadings(incident)}>look at them</a>
              {" · "}
              <a href={to(`/quarantine/readings/${reading.id}`)}>only this reading</a>
            </>
          ) : null}
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
        />
      ) : null}
      {help ? <KeysHelp onClose={() => setHelp(false)} /> : null}
    </div>
  );
}
