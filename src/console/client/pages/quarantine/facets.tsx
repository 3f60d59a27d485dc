/** Filters with how many readings each would show. */

import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import type { Count, QuarantineCounts } from "../../../../contract/quarantine-review.ts";
import { REFUSAL_REASONS } from "../../../../contract/refusal.ts";
import { REVIEW_STATUSES } from "../../../../contract/review-status.ts";
import { brief, shortId, shortName, words } from "../../lib/format.ts";
import type { Resource } from "../../lib/resource.ts";
import { to, useFilters, usePlace } from "../../lib/router.ts";
import { ChoiceField, Search } from "../../ui/field.tsx";
import { MomentFilter } from "../../ui/moment.tsx";
import { ProblemBox } from "../../ui/states.tsx";
import { listOf } from "./filters.ts";

/** Below that the API takes no text: it would be in nearly every reason. */
const SHORTEST_TEXT = 3;

const cappedText = (value: Count | undefined) =>
  value === undefined ? "" : `${brief(value.count)}${value.capped ? "+" : ""}`;

/** Incidents go by when their readings were taken, single readings by when they were refused. */
const TIMES = { incidents: "Measured", readings: "Refused" } as const;

interface FacetsProps {
  readonly counts: Resource<QuarantineCounts>;
  /** Incidents have neither texts nor batches. */
  readonly of: "incidents" | "readings";
}

export function Facets({ counts, of }: FacetsProps) {
  const { path, query } = usePlace();
  const { data, error, reload } = counts;
  // On a narrow screen the filters would push everything else out of sight.
  const [open, setOpen] = useState(false);
  return (
    <search class="panel" aria-label="Filters of quarantine">
      <header class="panel-head">
        <h2>Filters</h2>
        <div class="chart-tools">
          {query.size > 0 ? (
            <a class="button small-button" href={to(path)}>
              Clear
            </a>
          ) : null}
          <button
            type="button"
            class="button small-button facets-toggle"
            aria-expanded={open}
            aria-controls="facets"
            onClick={() => setOpen(!open)}
          >
            {open ? "Hide" : "Show"}
          </button>
        </div>
      </header>
      <div id="facets" class={`facets${open ? "" : " closed"}`}>
        {error ? <ProblemBox problem={error} retry={reload} /> : null}
        {of === "readings" ? <Narrowed /> : null}
        {of === "incidents" && (query.has("from") || query.has("to")) ? (
          <p class="muted small narrowing">The numbers are of all times.</p>
        ) : null}
        <Several name="status" title="State" choices={REVIEW_STATUSES} counts={data?.statuses} />
        <Several name="reason" title="Reason" choices={REFUSAL_REASONS} counts={data?.reasons} />
        <div class="facet">
          <Places data={data} />
        </div>
        <TextAndTimes of={of} />
      </div>
    </search>
  );
}

function TextAndTimes({ of }: Pick<FacetsProps, "of">) {
  const [query, change] = useFilters();
  return (
    <div class="facet">
      {of === "readings" ? (
        <Search
          label="Text in the details"
          value={query.get("q") ?? ""}
          shortest={SHORTEST_TEXT}
          onValue={(q) => change({ q })}
        />
      ) : null}
      <MomentFilter label={`${TIMES[of]} from`} name="from" />
      <MomentFilter label={`${TIMES[of]} to`} name="to" />
    </div>
  );
}

/** What a link to this page has narrowed it to, and the way back to all. */
function Narrowed() {
  const [query, change] = useFilters();
  const job_id = query.get("job_id");
  return (
    <>
      {query.get("incident") ? (
        <Narrowing onClear={() => change({ incident: null })}>one incident</Narrowing>
      ) : null}
      {job_id ? (
        <Narrowing onClear={() => change({ job_id: null })}>
          batch{" "}
          <a class="mono nowrap" href={to(`/jobs/${job_id}`)} title={job_id}>
            {shortId(job_id)}
          </a>
        </Narrowing>
      ) : null}
    </>
  );
}

const Narrowing = ({ onClear, children }: { onClear: () => void; children: ComponentChildren }) => (
  <p class="narrowing">
    <span>Only of {children}</span>
    <button type="button" class="button small-button" onClick={onClear}>
      Show all
    </button>
  </p>
);

/** System and sensor; another system forgets the sensor. */
function Places({ data }: { data: QuarantineCounts | null }) {
  const [query, change] = useFilters();
  const system_id = query.get("system_id") ?? "";
  const choicesOf = (items: QuarantineCounts["systems"]) =>
    items.map(
      (item) =>
        [item.id, `${item.name ? shortName(item.name) : shortId(item.id)} (${cappedText(item)})`] as const,
    );
  return (
    <>
      <ChoiceField
        label="System"
        value={system_id}
        choices={[["", "All"], ...present(choicesOf(data?.systems ?? []), system_id)]}
        onValue={(value) => change({ system_id: value, sensor_id: null })}
      />
      <ChoiceField
        label="Sensor"
        value={query.get("sensor_id") ?? ""}
        choices={[["", "All"], ...present(choicesOf(data?.sensors ?? []), query.get("sensor_id") ?? "")]}
        onValue={(value) => change({ sensor_id: value })}
      />
    </>
  );
}

/** What is chosen stays among the choices, though nothing is counted for it. */
function present(
  choices: readonly (readonly [string, string])[],
  chosen: string,
): readonly (readonly [string, string])[] {
  return chosen === "" || choices.some(([id]) => id === chosen)
    ? choices
    : [[chosen, shortId(chosen)], ...choices];
}

interface SeveralProps {
  readonly name: "reason" | "status";
  readonly title: string;
  readonly choices: readonly string[];
  readonly counts: Readonly<Record<string, Count>> | undefined;
}

function Several({ name, title, choices, counts }: SeveralProps) {
  const [query, change] = useFilters();
  const chosen = listOf(query, name);
  const toggle = (choice: string) => {
    const next = choices.filter((other) => chosen.includes(other) !== (other === choice));
    if (name === "reason") return change({ reason: next.length === choices.length ? null : next.join(",") });
    const all = next.length === 0 || next.length === choices.length;
    change({ status: next.join() === "pending" ? null : all ? "any" : next.join(",") });
  };
  return (
    <fieldset class="facet">
      <legend>{title}</legend>
      {choices.map((choice) => (
        <label key={choice} class="facet-choice">
          <input type="checkbox" checked={chosen.includes(choice)} onChange={() => toggle(choice)} />
          <span class="facet-name">{words(choice)}</span>
          <span class="muted small">{cappedText(counts?.[choice])}</span>
        </label>
      ))}
    </fieldset>
  );
}
