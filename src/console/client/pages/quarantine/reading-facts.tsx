/** What is known about a refused reading. */
import type { QuarantinedReadingDetail } from "../../../../contract/quarantine-review.ts";
import { number, quantity, shortId } from "../../lib/format.ts";
import { to } from "../../lib/router.ts";
import type { Limits } from "../../lib/units.ts";
import { Reason } from "../../ui/badge.tsx";
import { SensorName } from "../../ui/name.tsx";
import { Facts, Panel } from "../../ui/page.tsx";
import { Time } from "../../ui/time.tsx";

interface ReadingFactsProps {
  readonly reading: QuarantinedReadingDetail;
  readonly limits: Limits;
}

export function ReadingFacts({ reading, limits }: ReadingFactsProps) {
  const { sensor, system, system_id } = reading;
  const limited = limits.min !== null || limits.max !== null;
  return (
    <Panel title="The reading">
      <Facts
        items={[
          ["Why", <Reason key="why" name={reading.reason} />],
          ["Details", reading.reason_details],
          [
            "Sensor",
            sensor ? (
              <SensorName
                key="sensor"
                name={sensor.name}
                id={sensor.id}
                href={to(`/systems/${system_id}/sensors/${sensor.id}`)}
              />
            ) : (
              <SensorName key="sensor" name={null} id={reading.sensor_id} />
            ),
          ],
          ["System", system?.name ?? shortId(system_id)],
          ["Value as sent", quantity(reading.value, reading.unit)],
          ["Quality", number(reading.quality)],
          ["Taken", <Time key="taken" at={reading.timestamp} />],
          ["Quarantined", <Time key="quarantined" at={reading.quarantined_at} />],
          ["Stored at that moment", <StoredNow key="stored" reading={reading} />],
          limited && [
            "Limits",
            `${number(limits.min)} to ${quantity(limits.max, sensor?.unit)} (${limits.source})`,
          ],
          [
            "Batch",
            <span key="job">
              <a class="mono" href={to(`/jobs/${reading.job_id}`)}>
                {shortId(reading.job_id)}
              </a>
              , reading {reading.ordinal}
            </span>,
          ],
          reading.stored_by_job !== null && [
            "Stored by",
            <a key="by" class="mono" href={to(`/jobs/${reading.stored_by_job}`)}>
              {shortId(reading.stored_by_job)}
            </a>,
          ],
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

const StoredNow = ({ reading: { stored } }: { reading: QuarantinedReadingDetail }) =>
  stored ? (
    <>
      {quantity(stored.value, stored.unit)}, quality {number(stored.quality)}
    </>
  ) : (
    <span class="muted">nothing</span>
  );
