/** Refused readings one by one, with filters, selection, keys and export. */

import { useState } from "preact/hooks";
import type { QuarantineCounts, QuarantinedReading } from "../../../../contract/quarantine-review.ts";
import type { Selection } from "../../../../contract/review.ts";
import { MAX_REVIEW_IDS } from "../../../../contract/review-status.ts";
import { count } from "../../lib/format.ts";
import { type List, useList, useResource } from "../../lib/resource.ts";
import { navigate, queryText, to, usePlace } from "../../lib/router.ts";
import { ListView } from "../../ui/list.tsx";
import { PageFrame } from "../../ui/page.tsx";
import { ActionBar } from "./action-bar.tsx";
import { cappedText, Facets } from "./facets.tsx";
import { apiQuery, selectionOf } from "./filters.ts";
import { RefusedTable } from "./refused-table.tsx";
import { QuarantineTabs } from "./tabs.tsx";
import { type Review, ReviewDialogs, systemOf, useReview } from "./use-review.tsx";

export function ReadingsPage() {
  const { query } = usePlace();
  // What is selected belongs to the filters that showed it.
  return <Readings key={query.toString()} query={query} />;
}

/** The list and its counts, what is selected of it, and the decision about that. */
function useReadings(query: URLSearchParams) {
  const filters = apiQuery(query);
  const list = useList<QuarantinedReading>(`/api/v1/quarantine?${filters}${filters ? "&" : ""}limit=50`);
  const counts = useResource<QuarantineCounts>(`/api/v1/quarantine/counts?${filters}`);
  // Everything that the filters show is selected, also what is not loaded.
  const [whole, setWhole] = useState(false);
  const review = useReview(
    list.items ?? [],
    ({ id }) => String(id),
    ({ id }) => navigate(to(`/quarantine/readings/${id}`)),
    whole,
  );
  const none = () => {
    review.chosen.clear();
    setWhole(false);
  };
  const after = () => {
    none();
    list.reload();
    counts.reload();
  };
  return { filters, list, counts, whole, all: () => setWhole(true), none, after, review };
}

function Readings({ query }: { query: URLSearchParams }) {
  const { filters, list, counts, whole, all, none, after, review } = useReadings(query);
  const { chosen, targets } = review;
  return (
    <PageFrame title="Quarantine" side={<Exports filters={filters} ticked={whole ? [] : chosen.items} />}>
      <QuarantineTabs />
      <div class="grid with-side">
        <Facets counts={counts} of="readings" />
        <ReadingsPanel
          list={list}
          counts={counts.data}
          review={review}
          whole={whole}
          onAll={all}
          onNone={none}
        />
      </div>
      <ReviewDialogs
        review={review}
        selections={whole ? [selectionOf(query)] : idsOf(targets)}
        about={
          whole
            ? `all ${cappedText(counts.data?.total)} readings that the filters show`
            : aboutReadings(targets.length)
        }
        unit={whole ? null : (targets[0]?.unit ?? null)}
        system_id={whole ? query.get("system_id") : systemOf(targets)}
        onDone={after}
      />
    </PageFrame>
  );
}

/** As many selections as the API needs for them. */
function idsOf(targets: readonly QuarantinedReading[]): readonly Selection[] {
  const ids = targets.map(({ id }) => id);
  const begins = ids.flatMap((_, index) => (index % MAX_REVIEW_IDS === 0 ? [index] : []));
  return begins.map((begin) => ({ ids: ids.slice(begin, begin + MAX_REVIEW_IDS) }));
}

const aboutReadings = (n: number) => `${count(n)} reading${n === 1 ? "" : "s"}`;

interface ReadingsPanelProps {
  readonly list: List<QuarantinedReading>;
  readonly counts: QuarantineCounts | null;
  readonly review: Review<QuarantinedReading>;
  /** Everything that the filters show is selected, also what is not loaded. */
  readonly whole: boolean;
  readonly onAll: () => void;
  readonly onNone: () => void;
}

function ReadingsPanel({ list, counts, review, whole, onAll, onNone }: ReadingsPanelProps) {
  const { chosen, cursor, targets, setAction, setHelp } = review;
  const nameOf = (id: string) => counts?.sensors.find((sensor) => sensor.id === id)?.name ?? null;
  return (
    <section class="panel" aria-label="Readings in quarantine">
      <ActionBar
        selected={whole ? (counts?.total.count ?? 0) : chosen.items.length}
        noun="reading"
        disabled={targets.length === 0 && !whole}
        onAct={setAction}
        onHelp={() => setHelp(true)}
      >
        {list.items && list.items.length > 0 ? (
          <SelectAll
            whole={whole}
            total={cappedText(counts?.total)}
            onAll={onAll}
            onShown={() => chosen.set(list.items ?? [])}
            onNone={onNone}
          />
        ) : null}
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

interface ExportsProps {
  readonly filters: string;
  /** Exported alone; none: all that the filters show. */
  readonly ticked: readonly QuarantinedReading[];
}

function Exports({ filters, ticked }: ExportsProps) {
  if (ticked.length > MAX_REVIEW_IDS)
    return <span class="muted small">At most {count(MAX_REVIEW_IDS)} selected readings can be exported</span>;
  const some = ticked.length > 0;
  const query = some ? queryText({ ids: ticked.map(({ id }) => id).join(","), status: "any" }) : filters;
  return (
    <>
      {["csv", "ndjson"].map((format) => (
        <a
          key={format}
          class="button"
          download
          title={`${some ? "What is selected" : "All that the filters show"}, as ${format.toUpperCase()}`}
          href={`/api/v1/quarantine?${query}${query ? "&" : ""}format=${format}`}
        >
          Export {format.toUpperCase()}
        </a>
      ))}
    </>
  );
}
