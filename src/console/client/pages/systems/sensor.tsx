/** One sensor: its curve, its completeness, and the range that judges its readings. */
import type { CompletenessAnswer } from "../../../../contract/query.ts";
import type { SensorDetail } from "../../../../contract/registry.ts";
import { useIsReader } from "../../lib/access.ts";
import { number, unitText } from "../../lib/format.ts";
import { useSystemNames } from "../../lib/names.ts";
import { useResource } from "../../lib/resource.ts";
import { to, usePlace } from "../../lib/router.ts";
import { Badge } from "../../ui/badge.tsx";
import { Facts, PageFrame, Panel } from "../../ui/page.tsx";
import { Shown } from "../../ui/states.tsx";
import { Time } from "../../ui/time.tsx";
import { chartStretch } from "./preview-span.ts";
import { RangePanel } from "./range-editor.tsx";
import { RangeHistory } from "./range-history.tsx";
import { SensorChart } from "./sensor-chart.tsx";
import { CompletenessLegend, CompletenessStrip } from "./strip.tsx";

export function SensorPage({ system_id, id }: { system_id: string; id: string }) {
  const path = `/api/v1/systems/${system_id}/sensors/${id}`;
  const sensor = useResource<SensorDetail>(path);
  const nameOf = useSystemNames();
  const isReader = useIsReader();
  const shown = chartStretch(usePlace().query);
  // What was refused in what the chart was moved to, decided or not; else what waits.
  const refused = { system_id, sensor_id: id, ...(shown ? { ...shown, status: "any" } : {}) };
  return (
    <PageFrame
      title={sensor.data?.name ?? "Sensor"}
      above={[to(`/systems/${system_id}`), nameOf(system_id)]}
      side={
        <>
          {sensor.data?.archived_at ? <Badge>archived</Badge> : null}
          {isReader ? (
            <a class="button" href={to("/quarantine", refused)}>
              Quarantine
            </a>
          ) : null}
        </>
      }
    >
      <Shown of={sensor}>
        {(data) => (
          <>
            <SensorChart sensor={data} />
            <div class="grid columns-2">
              <RangePanel sensor={data} onChanged={sensor.reload} />
              <div class="column">
                <SensorFacts sensor={data} />
                <RangeHistory sensor={data} />
              </div>
            </div>
          </>
        )}
      </Shown>
    </PageFrame>
  );
}

function SensorFacts({ sensor }: { sensor: SensorDetail }) {
  const path = `/api/v1/systems/${sensor.system_id}/completeness?sensors=${sensor.id}`;
  const completeness = useResource<CompletenessAnswer>(path);
  return (
    <Panel title="The sensor">
      <Facts
        items={[
          ["Quantity", `${sensor.quantity} in ${unitText(sensor.unit)}`],
          [
            "Expected rate",
            sensor.expected_rate_hz === null ? "learnt" : `${number(sensor.expected_rate_hz)} Hz`,
          ],
          [
            "Names",
            <a key="names" href={to(`/systems/${sensor.system_id}/mappings`, { sensor_id: sensor.id })}>
              Mappings to it
            </a>,
          ],
          ["First reading", <Time key="first" at={sensor.first_reading_at} precise />],
          ["Last reading", <Time key="last" at={sensor.last_reading_at} precise />],
          [
            "Id",
            <code key="id" class="id">
              {sensor.id}
            </code>,
          ],
        ]}
      />
      <div class="panel-body stacked">
        <h3 class="small">Last 24 hours</h3>
        <Shown of={completeness}>
          {({ sensors: [row] }) => (row ? <CompletenessStrip hours={row.hours} name={sensor.name} /> : null)}
        </Shown>
        <CompletenessLegend />
      </div>
    </Panel>
  );
}
