/** A reading that names a sensor nobody knows: what the name means now, and the way to say it. */
import { useState } from "preact/hooks";
import type { MappingView } from "../../../../contract/mapping.ts";
import type { QuarantinedReadingDetail } from "../../../../contract/quarantine-review.ts";
import type { SeriesKey } from "../../../../contract/series-key.ts";
import { useMayEditRegistry, useMayReview } from "../../lib/access.ts";
import { keyName, sentKey } from "../../lib/mapping-key.ts";
import { useResource } from "../../lib/resource.ts";
import { queryText, to } from "../../lib/router.ts";
import type { Page } from "../../types.ts";
import { Panel } from "../../ui/page.tsx";
import { ProblemBox } from "../../ui/states.tsx";
import { keyOf } from "../mappings/import-plan.ts";
import { MappingDialog } from "../mappings/mapping-dialog.tsx";

interface UnknownNameProps {
  readonly reading: QuarantinedReadingDetail;
  /** Judge the readings again, now that the name means something. */
  readonly onRevalidate: () => void;
}

/** Nothing for readings of a sensor that is known, and for those that are decided. */
export function UnknownName({ reading, onRevalidate }: UnknownNameProps) {
  const key = reading.sensor === null && reading.system !== null ? sentKey(reading.raw) : null;
  if (key === null || reading.review_status !== "pending") return null;
  return <NameOf reading={reading} mapped={key} onRevalidate={onRevalidate} />;
}

/** Part of the label of every mapping that could fit. Labels have some signs with a backslash: then none is asked for. */
const labelPart = (key: SeriesKey) => {
  const part = "name" in key ? key.name : key.field;
  return "name" in key || /^[\w.:-]+$/.test(part) ? part : null;
};

/** Of several that fit, the one with the most tags counts. */
function fitting(mappings: readonly MappingView[], sent: SeriesKey): MappingView | undefined {
  const fits = (mapping: MappingView) => {
    const key = keyOf(mapping);
    if ("name" in sent || "name" in key) return "name" in sent && "name" in key && sent.name === key.name;
    const isOfLine = key.measurement === sent.measurement && key.field === sent.field;
    return isOfLine && Object.entries(key.tags).every(([tag, value]) => sent.tags[tag] === value);
  };
  const weight = ({ tags }: MappingView) => Object.keys(tags ?? {}).length;
  return mappings.filter(fits).sort((a, b) => weight(b) - weight(a))[0];
}

function NameOf({ reading, mapped, onRevalidate }: UnknownNameProps & { readonly mapped: SeriesKey }) {
  const { system_id } = reading;
  const query = queryText({ text: labelPart(mapped), limit: "1000" });
  const known = useResource<Page<MappingView>>(`/api/v1/systems/${system_id}/mappings?${query}`);
  const [asking, setAsking] = useState(false);
  const mayReview = useMayReview();
  const mapping = known.data ? fitting(known.data.items, mapped) : undefined;
  return (
    <Panel
      title="The name as sent"
      side={<a href={to(`/systems/${system_id}/mappings`)}>All mappings of the system</a>}
    >
      <div class="panel-body stacked">
        {known.error ? <ProblemBox problem={known.error} retry={known.reload} /> : null}
        <p class="prose">
          <strong>{keyName(mapped)}</strong>{" "}
          {mapping ? <Meaning mapping={mapping} /> : "means no sensor that the system knows."}
        </p>
        <div class="buttons">
          <MapButton isMapped={mapping !== undefined} onAsk={() => setAsking(true)} />
          {mapping && mayReview ? (
            <button type="button" class="button primary" onClick={onRevalidate}>
              Revalidate
            </button>
          ) : null}
        </div>
        {mapping && !mayReview ? <p class="muted">A reviewer can revalidate the readings now.</p> : null}
      </div>
      {asking ? (
        <MappingDialog
          system_id={system_id}
          mapped={mapping ? keyOf(mapping) : mapped}
          now={mapping ? { sensor: mapping.sensor_name, unit: mapping.unit } : null}
          onClose={() => setAsking(false)}
          onDone={known.reload}
        />
      ) : null}
    </Panel>
  );
}

const Meaning = ({ mapping: { system_id, sensor_id, sensor_name } }: { mapping: MappingView }) => (
  <>
    means <a href={to(`/systems/${system_id}/sensors/${sensor_id}`)}>{sensor_name}</a> now: judged again, its
    readings go there.
  </>
);

function MapButton({ isMapped, onAsk }: { isMapped: boolean; onAsk: () => void }) {
  const mayEdit = useMayEditRegistry();
  if (!mayEdit)
    return isMapped ? null : <span class="muted">Admins and engineers map names to sensors.</span>;
  return (
    <button type="button" class={`button${isMapped ? "" : " primary"}`} onClick={onAsk}>
      {isMapped ? "Change the mapping" : "Map it to a sensor"}
    </button>
  );
}
