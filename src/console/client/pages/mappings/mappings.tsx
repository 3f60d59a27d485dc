/** Which sensors of a system the names in batches mean: looked through, set, changed, removed, taken from a table. */
import { useState } from "preact/hooks";
import type { MappingView } from "../../../../contract/mapping.ts";
import { useMayEditRegistry } from "../../lib/access.ts";
import { call } from "../../lib/api.ts";
import { unitText } from "../../lib/format.ts";
import { type List, useList } from "../../lib/list.ts";
import { useSystemNames } from "../../lib/names.ts";
import { queryText, to, useFilters } from "../../lib/router.ts";
import { AskDialog } from "../../ui/ask.tsx";
import { Filters, Search } from "../../ui/field.tsx";
import { ListView } from "../../ui/list.tsx";
import { SensorName } from "../../ui/name.tsx";
import { notify } from "../../ui/notices.tsx";
import { PageFrame } from "../../ui/page.tsx";
import { type Column, Table } from "../../ui/table.tsx";
import { Time } from "../../ui/time.tsx";
import { ImportDialog } from "./import-dialog.tsx";
import { keyOf } from "./import-plan.ts";
import { MappingDialog } from "./mapping-dialog.tsx";

type Wish =
  | { readonly kind: "new" | "import" }
  | { readonly kind: "change" | "remove"; readonly mapping: MappingView };

export function MappingsPage({ system_id }: { system_id: string }) {
  const [query, change] = useFilters();
  const text = query.get("text") ?? "";
  const sensor_id = query.get("sensor_id");
  const path = `/api/v1/systems/${system_id}/mappings`;
  const list = useList<MappingView>(`${path}?${queryText({ text, sensor_id, limit: "100" })}`);
  const nameOf = useSystemNames();
  const mayEdit = useMayEditRegistry();
  const [wish, setWish] = useState<Wish | null>(null);
  return (
    <PageFrame
      title="Mappings"
      above={[to(`/systems/${system_id}`), nameOf(system_id)]}
      side={mayEdit ? <Buttons onWish={setWish} /> : null}
    >
      <section class="panel" aria-label="Mappings">
        <Filters label="Filters of mappings">
          <Search label="Name, unit or sensor" value={text} onValue={(value) => change({ text: value })} />
          {sensor_id ? (
            <button type="button" class="button" onClick={() => change({ sensor_id: null })}>
              Of all sensors
            </button>
          ) : null}
        </Filters>
        <ListView
          list={list}
          empty="No mappings"
          emptyHint="A mapping says which sensor a name in a batch means, so that sources need not know ids."
          clear={text !== "" || sensor_id ? to(`/systems/${system_id}/mappings`) : null}
        >
          {(mappings) => <MappingTable mappings={mappings} onWish={mayEdit ? setWish : null} />}
        </ListView>
      </section>
      <WishDialog system_id={system_id} wish={wish} list={list} onEnd={() => setWish(null)} />
    </PageFrame>
  );
}

const Buttons = ({ onWish }: { onWish: (wish: Wish) => void }) => (
  <>
    <button type="button" class="button" onClick={() => onWish({ kind: "import" })}>
      Import
    </button>
    <button type="button" class="button primary" onClick={() => onWish({ kind: "new" })}>
      New mapping
    </button>
  </>
);

interface WishDialogProps {
  readonly system_id: string;
  readonly wish: Wish | null;
  readonly list: Pick<List<MappingView>, "reload">;
  readonly onEnd: () => void;
}

function WishDialog({ system_id, wish, list, onEnd }: WishDialogProps) {
  const common = { system_id, onClose: onEnd, onDone: list.reload };
  switch (wish?.kind) {
    case undefined:
      return null;
    case "import":
      return <ImportDialog {...common} />;
    case "new":
      return <MappingDialog {...common} mapped={null} />;
    case "change": {
      const { sensor_name, unit } = wish.mapping;
      return <MappingDialog {...common} mapped={keyOf(wish.mapping)} now={{ sensor: sensor_name, unit }} />;
    }
    case "remove":
      return <RemoveDialog {...common} mapping={wish.mapping} />;
  }
}

interface RemoveProps {
  readonly mapping: MappingView;
  readonly onClose: () => void;
  readonly onDone: () => void;
}

function RemoveDialog({ mapping: { id, system_id, label }, onClose, onDone }: RemoveProps) {
  const remove = async () => {
    await call(`/api/v1/systems/${system_id}/mappings/${id}`, { method: "DELETE" });
    notify("The mapping is removed.");
    onDone();
  };
  return (
    <AskDialog
      title={`Remove the mapping of ${label}`}
      explanation="What was stored by it stays. From now on the name stands for a sensor of its own again, or for none."
      verb="Remove"
      danger
      work={remove}
      onClose={onClose}
    />
  );
}

interface MappingTableProps {
  readonly mappings: readonly MappingView[];
  /** Null: the visitor may not change them. */
  readonly onWish: ((wish: Wish) => void) | null;
}

function MappingTable({ mappings, onWish }: MappingTableProps) {
  const columns: Column<MappingView>[] = [
    { label: "Mapped", wide: true, cell: (mapping) => <Mapped mapping={mapping} /> },
    {
      label: "Means",
      name: true,
      cell: ({ sensor_id, sensor_name, system_id }) => (
        <SensorName
          name={sensor_name}
          id={sensor_id}
          href={to(`/systems/${system_id}/sensors/${sensor_id}`)}
        />
      ),
    },
    {
      label: "Unit",
      cell: ({ unit }) => (unit ? unitText(unit) : <span class="muted">the sensor's</span>),
    },
    { label: "Set by", cell: ({ author_name }) => author_name ?? "somebody" },
    { label: "Set", cell: ({ updated_at }) => <Time at={updated_at} /> },
  ];
  const actions: Column<MappingView> = {
    label: "Actions",
    cell: (mapping) => (onWish ? <Actions mapping={mapping} onWish={onWish} /> : null),
  };
  return (
    <Table
      label="Mappings"
      rows={mappings}
      keyOf={({ id }) => id}
      columns={onWish ? [...columns, actions] : columns}
    />
  );
}

function Mapped({ mapping }: { mapping: MappingView }) {
  const { name, measurement, field, tags } = mapping;
  if (name !== null) return <strong>{name}</strong>;
  return (
    <div class="stack">
      <strong>
        {measurement} {field}
      </strong>
      <span class="muted small">
        line protocol
        {Object.entries(tags ?? {}).map(([key, value]) => `, ${key}=${value}`)}
      </span>
    </div>
  );
}

const Actions = ({ mapping, onWish }: { mapping: MappingView; onWish: (wish: Wish) => void }) => (
  <span class="row-actions">
    {(["change", "remove"] as const).map((kind) => (
      <button key={kind} type="button" class="button small-button" onClick={() => onWish({ kind, mapping })}>
        {kind === "change" ? "Change" : "Remove"}
        <span class="unseen"> the mapping of {mapping.label}</span>
      </button>
    ))}
  </span>
);
