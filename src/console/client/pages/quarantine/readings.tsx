/** Refused readings one by one, with filters, selection, keys and export. */
import { useState } from "preact/hooks";
import { count, shortId } from "../../lib/format.ts";
import { useList, useResource } from "../../lib/resource.ts";
import { navigate, to, usePlace } from "../../lib/router.ts";
import type { ActionName, Counts, Refused } from "../../review-types.ts";
import { ListView } from "../../ui/list.tsx";
import { PageFrame } from "../../ui/page.tsx";
import { ActionBar } from "./action-bar.tsx";
import { ActionDialog } from "./action-dialog.tsx";
import { cappedText, Facets } from "./facets.tsx";
import { apiQuery, selectionOf } from "./filters.ts";
import { KeysHelp } from "./help.tsx";
import { useListKeys } from "./keys.ts";
import { RefusedTable } from "./refused-table.tsx";
import { QuarantineTabs } from "./tabs.tsx";
import { useChosen } from "./use-chosen.tsx";

export function ReadingsPage() {
  const { query } = usePlace();
  // What is selected belongs to the filters that showed it.
  return <Readings key={query.toString()} query={query} />;
}

function Readings({ query }: { query: URLSearchParams }) {
  const filters = apiQuery(query);
  const list = useList<Refused>(`/api/v1/quarantine?${filters}${filters ? "&" : ""}limit=50`);
  const counts = useResource<Counts>(`/api/v1/quarantine/counts?${filters}`);
  const items = list.items ?? [];
  const chosen = useChosen(items, ({ id }) => String(id));
  const [whole, setWhole] = useState(false);
  const [action, setAction] = useState<ActionName | null>(null);
  const [help, setHelp] = useState(false);
  const { cursor, current } = useListKeys(items, (reading) => ({
    ...chosen.keys(reading),
    Enter: () => reading && navigate(to(`/quarantine/readings/${reading.id}`)),
    a: () => setAction("approve"),
    f: () => setAction("fix"),
    r: () => setAction("reject"),
    "?": () => setHelp(true),
  }));
  const targets = chosen.items.length > 0 ? chosen.items : current ? [current] : [];
  const total = counts.data?.total;
  const sensors = counts.data?.sensors ?? [];
  const nameOf = (id: string) => sensors.find((sensor) => sensor.id === id)?.name ?? shortId(id);
  const after = () => {
    chosen.clear();
    setWhole(false);
    list.reload();
    counts.reload();
  };
  return (
    <PageFrame title="Quarantine" side={<Exports filters={filters} />}>
      <QuarantineTabs />
      <div class="grid with-side">
        <Facets counts={counts} />
        <section class="panel" aria-label="Readings in quarantine">
          <ActionBar
            selected={whole ? (total?.count ?? 0) : chosen.items.length}
            noun="reading"
            disabled={targets.length === 0 && !whole}
            onAct={setAction}
            onHelp={() => setHelp(true)}
          >
            <SelectAll
              whole={whole}
              total={cappedText(total)}
              onAll={() => setWhole(true)}
              onShown={() => chosen.set(items)}
              onNone={() => {
                setWhole(false);
                chosen.clear();
              }}
            />
          </ActionBar>
          <ListView list={list} empty="No readings" emptyHint="Nothing in quarantine fits these filters.">
            {(shown) => (
              <RefusedTable
                items={shown}
                nameOf={nameOf}
                lead={chosen.box}
                look={(item, index) => ({ current: index === cursor, selected: whole || chosen.has(item) })}
              />
            )}
          </ListView>
        </section>
      </div>
      {action && (whole || targets.length > 0) ? (
        <ActionDialog
          action={action}
          targets={whole ? [selectionOf(query)] : [{ ids: targets.map(({ id }) => id) }]}
          about={
            whole
              ? `all ${cappedText(total)} readings that the filters show`
              : `${count(targets.length)} reading${targets.length === 1 ? "" : "s"}`
          }
          unit={targets[0]?.unit ?? null}
          onClose={() => setAction(null)}
          onDone={after}
        />
      ) : null}
      {help ? <KeysHelp onClose={() => setHelp(false)} /> : null}
    </PageFrame>
  );
}

interface SelectAllProps {
  readonly whole: boolean;
  readonly total: string;
  readonly onAll: () => void;
  readonly onShown: () => void;
  readonly onNone: () => void;
}

const SelectAll = ({ whole, total, onAll, onShown, onNone }: SelectAllProps) =>
  whole ? (
    <button type="button" class="link-button" onClick={onNone}>
      none
    </button>
  ) : (
    <>
      <button type="button" class="link-button" onClick={onShown}>
        all shown
      </button>
      {" · "}
      <button type="button" class="link-button" onClick={onAll}>
        all {total} matching
      </button>
    </>
  );

const Exports = ({ filters }: { filters: string }) => (
  <>
    {["csv", "ndjson"].map((format) => (
      <a
        key={format}
        class="button"
        download
        href={`/api/v1/quarantine?${filters}${filters ? "&" : ""}format=${format}`}
      >
        {format.toUpperCase()}
      </a>
    ))}
  </>
);
