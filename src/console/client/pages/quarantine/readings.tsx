/** Refused readings one by one, with filters, selection, keys and export. */

import type { Count, QuarantineCounts, QuarantinedReading } from "../../../../contract/quarantine-review.ts";
import type { Selection } from "../../../../contract/review.ts";
import { MAX_REVIEW_IDS } from "../../../../contract/review-status.ts";
import { count, countOf, someText } from "../../lib/format.ts";
import { both, type List, useList } from "../../lib/list.ts";
import { type Resource, useResource } from "../../lib/resource.ts";
import { queryText, to, usePlace } from "../../lib/router.ts";
import { Exports } from "../../ui/exports.tsx";
import { ListView } from "../../ui/list.tsx";
import { PageFrame } from "../../ui/page.tsx";
import { ActionBar, SelectShown } from "./action-bar.tsx";
import { Facets } from "./facets.tsx";
import { apiQuery, selectionOf } from "./filters.ts";
import { RefusedTable } from "./refused-table.tsx";
import { QuarantineTabs } from "./tabs.tsx";
import { type Review, ReviewDialogs, systemOf, useReview } from "./use-review.tsx";

export function ReadingsPage() {
  const { query } = usePlace();
  const { filters, list, counts, after, review } = useReadings(query);
  const { chosen, targets } = review;
  const { whole } = chosen;
  return (
    <PageFrame title="Quarantine" side={<ReadingExports filters={filters} ticked={chosen.items} />}>
      <QuarantineTabs />
      <div class="grid with-side">
        <Facets counts={counts} of="readings" />
        <ReadingsPanel list={both(list, counts)} counts={counts} review={review} />
      </div>
      <ReviewDialogs
        review={review}
        selections={whole ? [selectionOf(query)] : idsOf(targets)}
        about={
          whole
            ? `all ${exactText(counts.data?.total)} readings that the filters show`
            : countOf(targets.length, "reading")
        }
        unit={whole ? null : (targets[0]?.unit ?? null)}
        system_id={whole ? query.get("system_id") : systemOf(targets)}
        onDone={after}
      />
    </PageFrame>
  );
}

/** The list and its counts, what is selected of it, and the decision about that. */
function useReadings(query: URLSearchParams) {
  const filters = apiQuery(query);
  const list = useList<QuarantinedReading>(`/api/v1/quarantine?${filters}${filters ? "&" : ""}limit=50`);
  const counts = useResource<QuarantineCounts>(`/api/v1/quarantine/counts?${filters}`);
  const review = useReview(
    list.isOld ? [] : (list.items ?? []),
    ({ id }) => String(id),
    ({ id }) => to(`/quarantine/readings/${id}`),
    filters,
  );
  const after = () => {
    review.chosen.clear();
    list.reload();
    counts.reload();
  };
  return { filters, list, counts, after, review };
}

/** As many selections as the API needs for them. */
function idsOf(targets: readonly QuarantinedReading[]): readonly Selection[] {
  const ids = targets.map(({ id }) => id);
  const begins = ids.flatMap((_, index) => (index % MAX_REVIEW_IDS === 0 ? [index] : []));
  return begins.map((begin) => ({ ids: ids.slice(begin, begin + MAX_REVIEW_IDS) }));
}

const allText = (total: Count | undefined) =>
  total === undefined
    ? "all readings that match"
    : `${exactText(total)} reading${total.count === 1 ? "" : "s"}`;
/** With every digit, for what is about to be decided. */
const exactText = (value: Count | undefined) =>
  value === undefined ? "" : `${count(value.count)}${value.capped ? "+" : ""}`;

interface ReadingsPanelProps {
  readonly list: List<QuarantinedReading>;
  readonly counts: Resource<QuarantineCounts>;
  readonly review: Review<QuarantinedReading>;
}

function ReadingsPanel({ list, counts, review }: ReadingsPanelProps) {
  const { chosen, cursor, targets, setAction } = review;
  // Of the filters before these nothing is told while the new ones are counted.
  const total = counts.loading ? undefined : counts.data?.total;
  const nameOf = (id: string) => counts.data?.sensors.find((sensor) => sensor.id === id)?.name ?? null;
  return (
    <section class="panel" aria-label="Readings in quarantine">
      <ActionBar
        selected={chosen.whole ? allText(total) : someText(chosen.items.length, "reading")}
        disabled={targets.length === 0 && !chosen.whole}
        onAct={setAction}
      >
        {list.items && list.items.length > 0 ? (
          <SelectAll
            whole={chosen.whole}
            isNone={chosen.items.length === 0}
            total={exactText(total)}
            onAll={chosen.setWhole}
            onShown={() => chosen.set(list.items ?? [])}
            onNone={chosen.clear}
          />
        ) : null}
      </ActionBar>
      <ListView
        list={list}
        empty="No readings"
        emptyHint="Nothing waits for review. What the rules refuse shows here; decided readings under State."
        clear={usePlace().query.size > 0 ? to("/quarantine/readings") : null}
      >
        {(shown) => (
          <RefusedTable
            items={shown}
            nameOf={nameOf}
            lead={(item) => chosen.box(item, `reading #${item.id}`)}
            look={(item, index) => ({ current: index === cursor, selected: chosen.has(item) })}
          />
        )}
      </ListView>
    </section>
  );
}

interface SelectAllProps {
  readonly whole: boolean;
  readonly isNone: boolean;
  readonly total: string;
  readonly onAll: () => void;
  readonly onShown: () => void;
  readonly onNone: () => void;
}

const SelectAll = ({ whole, isNone, total, onAll, onShown, onNone }: SelectAllProps) =>
  whole ? (
    <button type="button" class="link-button" onClick={onNone}>
      none
    </button>
  ) : (
    <>
      <SelectShown isNone={isNone} onShown={onShown} onNone={onNone} />
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

function ReadingExports({ filters, ticked }: ExportsProps) {
  if (ticked.length > MAX_REVIEW_IDS)
    return <span class="muted small">At most {count(MAX_REVIEW_IDS)} selected readings can be exported</span>;
  if (ticked.length === 0) return <Exports of="/api/v1/quarantine" query={filters} />;
  const query = queryText({ ids: ticked.map(({ id }) => id).join(","), status: "any" });
  return <Exports of="/api/v1/quarantine" query={query} what="What is selected" />;
}
