/** All systems. */
import type { System } from "../../../../contract/registry.ts";
import { useList } from "../../lib/list.ts";
import { queryText, to, useFilters } from "../../lib/router.ts";
import { Badge } from "../../ui/badge.tsx";
import { ChoiceField, Filters, Search } from "../../ui/field.tsx";
import { ListView } from "../../ui/list.tsx";
import { PageFrame } from "../../ui/page.tsx";
import { Table } from "../../ui/table.tsx";
import { Time } from "../../ui/time.tsx";

export const SHOWN = [
  ["", "In use"],
  ["true", "Archived"],
  ["all", "All"],
] as const;

export function SystemsPage() {
  const [query, change] = useFilters();
  const text = query.get("text") ?? "";
  const archived = query.get("archived") ?? "";
  const list = useList<System>(`/api/v1/systems?${queryText({ text, archived, limit: "100" })}`);
  return (
    <PageFrame title="Systems">
      <section class="panel" aria-label="Systems">
        <Filters label="Filters of systems">
          <Search label="Name or description" value={text} onValue={(value) => change({ text: value })} />
          <ChoiceField
            label="Show"
            value={archived}
            choices={SHOWN}
            onValue={(value) => change({ archived: value })}
          />
        </Filters>
        <ListView
          list={list}
          empty="No systems"
          emptyHint={
            <>
              Systems are registered with <code>POST /api/v1/systems</code>; an example is in the{" "}
              <a href="/docs">description of the API</a>.
            </>
          }
          clear={text !== "" || archived !== "" ? to("/systems") : null}
        >
          {(systems) => <SystemTable systems={systems} />}
        </ListView>
      </section>
    </PageFrame>
  );
}

const SystemTable = ({ systems }: { systems: readonly System[] }) => (
  <Table
    label="Systems"
    rows={systems}
    keyOf={({ id }) => id}
    columns={[
      {
        label: "System",
        name: true,
        cell: ({ id, name }) => <a href={to(`/systems/${id}`)}>{name}</a>,
      },
      { label: "Description", wide: true, cell: ({ description }) => description || "–" },
      { label: "Registered", cell: ({ created_at }) => <Time at={created_at} day /> },
      {
        label: "State",
        cell: ({ archived_at }) =>
          archived_at ? <Badge>archived</Badge> : <Badge tone="good">in use</Badge>,
      },
    ]}
  />
);
