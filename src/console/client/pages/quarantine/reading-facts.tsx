/** What is known about a refused reading. */
import type { QuarantinedReadingDetail } from "../../../../contract/quarantine-review.ts";
import { number, quantity, shortId } from "../../lib/format.ts";
import { sentName } from "../../lib/mapping-key.ts";
import { to } from "../../lib/router.ts";
import type { Limits } from "../../lib/units.ts";
import { Reason } from "../../ui/badge.tsx";
import { PlaceInBatch, SensorName } from "../../ui/name.tsx";
import { Facts, Panel } from "../../ui/page.tsx";
import { Time } from "../../ui/time.tsx";

interface ReadingFactsProps {
  readonly reading: QuarantinedReadingDetail;
  readonly limits: Limits;
}

export function ReadingFacts({ reading, limits }: ReadingFactsProps) {
  const { min, max, source } = limits;
  const unit = reading.sensor?.unit;
  return (
    <Panel title="The reading">
      <Facts
        items={[
          ["Why", <Reason key="why" name={reading.reason} />],
          ["Details", reading.reason_details],
          ["Sensor", <SensorLink key="sensor" reading={reading} />],
          ["System", reading.system?.name ?? shortId(reading.system_id)],
          ["Value as sent", quantity(reading.value, reading.unit)],
          ["Quality", number(reading.quality)],
          ["Taken", <Time key="taken" at={reading.timestamp} precise />],
          ["Quarantined", <Time key="quarantined" at={reading.quarantined_at} />],
          ["Stored at that moment", <StoredNow key="stored" reading={reading} />],
          (min !== null || max !== null) && [
            "Limits",
            `${number(min)} to ${quantity(max, unit)} (${source})`,
          ],
          ["Batch", <JobLink key="job" id={reading.job_id} ordinal={reading.ordinal} />],
          reading.stored_by_job !== null && ["Stored by", <JobLink key="by" id={reading.stored_by_job} />],
          reading.reviewed_at !== null && [
            "Decided",
            <span key="decided">
              by {reading.reviewed_by_name ?? "somebody"} <Time at={reading.reviewed_at} />
            </span>,
          ],
          reading.review_notes !== null && ["Note", reading.review_notes],
        ]}
      />
      <div class="panel-body">
        <details>
          <summary>As it was sent</summary>
          <pre>{JSON.stringify(reading.raw, null, 2)}</pre>
        </details>
      </div>
    </Panel>
  );
}

const SensorLink = ({
  reading: { sensor, sensor_id, system_id, raw },
}: {
  reading: QuarantinedReadingDetail;
}) =>
  sensor ? (
    <SensorName name={sensor.name} id={sensor.id} href={to(`/systems/${system_id}/sensors/${sensor.id}`)} />
  ) : (
    <SensorName name={sentName(raw)} id={sensor_id} />
  );

const JobLink = ({ id, ordinal }: { id: string; ordinal?: number }) => (
  <span>
    <a class="mono nowrap" href={to(`/jobs/${id}`)} title={id}>
      {shortId(id)}
    </a>
    {ordinal === undefined ? null : (
      <>
        , <PlaceInBatch ordinal={ordinal} />
      </>
    )}
  </span>
);

const StoredNow = ({ reading: { stored } }: { reading: QuarantinedReadingDetail }) =>
  stored ? (
    <>
      {quantity(stored.value, stored.unit)}, quality {number(stored.quality)}
    </>
  ) : (
    <span class="muted">nothing</span>
  );
