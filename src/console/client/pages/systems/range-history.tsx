/** Every version of a sensor's own range, newest first: who set it, and from when it judges. */
import type { RangeVersion, SensorDetail } from "../../../../contract/registry.ts";
import { number, quantity } from "../../lib/format.ts";
import { useList } from "../../lib/list.ts";
import { Badge } from "../../ui/badge.tsx";
import { ListView } from "../../ui/list.tsx";
import { Panel } from "../../ui/page.tsx";
import { Table } from "../../ui/table.tsx";
import { Time } from "../../ui/time.tsx";

/** The sensor is asked for anew when its range was changed, and so is this list: `updated_at` tells. */
export const RangeHistory = ({ sensor }: { sensor: SensorDetail }) => (
  <Versions key={sensor.updated_at} sensor={sensor} />
);

/** Which one judges now: the latest that has begun; of equal ones that which was set last. */
function inForceOf(versions: readonly RangeVersion[]): number | undefined {
  const begun = versions.filter(({ valid_from }) => Date.parse(valid_from) <= Date.now());
  return begun.sort((a, b) => Date.parse(b.valid_from) - Date.parse(a.valid_from) || b.version - a.version)[0]
    ?.version;
}

function Versions({ sensor: { system_id, id, unit } }: { sensor: SensorDetail }) {
  const list = useList<RangeVersion>(`/api/v1/systems/${system_id}/sensors/${id}/ranges?limit=20`);
  return (
    <Panel title="Versions of the range">
      <ListView list={list} empty="No range of its own" emptyHint="The range of the unit holds.">
        {(versions) => (
          <Table
            label="Versions of the range"
            rows={versions}
            keyOf={({ version }) => version}
            columns={[
              {
                label: "Version",
                cell: ({ version, valid_from }) => (
                  <span class="nowrap">
                    {version} <Standing inForce={version === inForceOf(versions)} valid_from={valid_from} />
                  </span>
                ),
              },
              { label: "Range", cell: (version) => <RangeText version={version} unit={unit} /> },
              { label: "Holds from", cell: ({ valid_from }) => <Time at={valid_from} /> },
              { label: "Set by", cell: ({ author_name }) => author_name ?? "somebody" },
            ]}
          />
        )}
      </ListView>
    </Panel>
  );
}

function Standing({ inForce, valid_from }: { inForce: boolean; valid_from: string }) {
  if (inForce) return <Badge tone="good">in force</Badge>;
  return Date.parse(valid_from) > Date.now() ? <Badge tone="info">to come</Badge> : null;
}

const RangeText = ({ version: { min, max }, unit }: { version: RangeVersion; unit: string }) =>
  min === null && max === null ? (
    <span class="muted">as of the unit</span>
  ) : (
    <span>
      {number(min)} to {quantity(max, unit)}
    </span>
  );
