/** What an action would do, told before it is done. */
import { useEffect, useRef } from "preact/hooks";
import type { DryRun, ReadingOutcome } from "../../../../contract/review.ts";
import { isFields } from "../../lib/fields.ts";
import { count, quantity, words } from "../../lib/format.ts";
import { StateBadge } from "../../ui/badge.tsx";
import { type Column, Table } from "../../ui/table.tsx";
import { Time } from "../../ui/time.tsx";

const WOULD = [
  ["store", "would be stored"],
  ["replace", "would replace a stored value"],
  ["keep", "would be rejected: the stored value stays"],
  ["identical", "are stored already"],
  ["reject", "would be rejected"],
  ["reopen", "would be reopened"],
  ["withdraw", "would be reopened and taken out of the stored readings"],
  ["restore", "would be reopened, and the value that they replaced stored again"],
] as const;

export type DryRunOutcome = Omit<DryRun, "action">;

export function DryRunResult({ result }: { result: DryRunOutcome }) {
  const place = useRef<HTMLElement>(null);
  // On a small screen it would come below what is in sight
  useEffect(() => place.current?.scrollIntoView({ block: "nearest" }), [result]);
  const { would, still_failing, not_open, selected, examined, samples } = result;
  return (
    <section ref={place} class="stacked dry-run" aria-label="Result of the dry run">
      {examined < selected ? (
        <p>
          Of the <strong>first {count(examined)}</strong> of {count(selected)} readings:
        </p>
      ) : null}
      <p class="outcome">
        {WOULD.filter(([name]) => would[name] > 0).map(([name, text]) => (
          <span key={name} class={name === "store" ? "good" : undefined}>
            <strong>{count(would[name])}</strong> {text}
          </span>
        ))}
        {Object.entries(still_failing).map(([reason, n]) => (
          <span key={reason} class="bad">
            <strong>{count(n)}</strong> would still fail: {words(reason)}
          </span>
        ))}
        {not_open > 0 ? (
          <span>
            <strong>{count(not_open)}</strong> are decided on already
          </span>
        ) : null}
      </p>
      {samples.length > 0 ? <Samples samples={samples} /> : null}
      <p class="muted small">Nothing has been changed yet.</p>
    </section>
  );
}

function Samples({ samples }: { samples: readonly ReadingOutcome[] }) {
  const told = samples.some(({ details, reason, stored }) => details || reason || stored);
  const columns: Column<ReadingOutcome>[] = [
    {
      label: "Reading",
      cell: ({ id, before }) => (
        <span class="stack">
          <span>#{id}</span>
          <Taken reading={before} />
        </span>
      ),
    },
    { label: "Outcome", cell: ({ outcome }) => <StateBadge state={outcome} /> },
    { label: "Before", cell: ({ before }) => <Sent reading={before} /> },
    {
      label: "After",
      cell: ({ before, after }) => (
        <span class="stack">
          <Sent reading={after} />
          {takenAt(after) === takenAt(before) ? null : <Taken reading={after} />}
        </span>
      ),
    },
  ];
  const why: Column<ReadingOutcome> = {
    label: "Stored or why",
    cell: ({ stored, details, reason }) =>
      details ?? (reason ? words(reason) : stored ? <Sent reading={stored} /> : "–"),
  };
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <section class="samples" aria-label="What would become of them" tabIndex={0}>
      <Table
        label="Samples of the dry run"
        rows={samples}
        keyOf={({ id }) => id}
        columns={told ? [...columns, why] : columns}
      />
    </section>
  );
}

/** When a reading was taken, of what may be none; null: it says nothing of it. */
const takenAt = (reading: unknown) =>
  isFields(reading) && typeof reading.timestamp === "string" ? reading.timestamp : null;

function Taken({ reading }: { reading: unknown }) {
  const at = takenAt(reading);
  return at === null ? null : (
    <span class="muted small">
      <Time at={at} precise />
    </span>
  );
}

/** A reading in few words: value and unit, when it has them. */
function Sent({ reading }: { reading: unknown }) {
  if (!isFields(reading)) return <>–</>;
  const { value, unit } = reading;
  if (typeof value !== "number") return <code>{JSON.stringify(reading)}</code>;
  return <span>{quantity(value, typeof unit === "string" ? unit : null)}</span>;
}
