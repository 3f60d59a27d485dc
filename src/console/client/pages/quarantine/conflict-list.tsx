/** Readings that somebody else has decided meanwhile, as they are now, and the way on without them. */
import type { QuarantinedReading } from "../../../../contract/quarantine-review.ts";
import type { Problem } from "../../lib/api.ts";
import { count } from "../../lib/format.ts";
import { to } from "../../lib/router.ts";
import { StateBadge } from "../../ui/badge.tsx";
import { Time } from "../../ui/time.tsx";

type Decided = Pick<QuarantinedReading, "id" | "review_status" | "reviewed_by_name" | "reviewed_at">;

const MOST_SHOWN = 20;

/** The readings that a 409 names; none for any other problem. */
export const conflictsOf = (problem: Problem | null): readonly Decided[] =>
  problem?.name_of_type === "review-conflict" ? ((problem.body.readings ?? []) as readonly Decided[]) : [];

interface ConflictListProps {
  readonly readings: readonly Decided[];
  /** Selected, these included. */
  readonly selected: number;
  readonly onLeaveOut: (ids: readonly number[]) => void;
}

export function ConflictList({ readings, selected, onLeaveOut }: ConflictListProps) {
  if (readings.length === 0) return null;
  const left = selected - readings.length;
  return (
    <section class="stacked" aria-label="Decided by others">
      <ul class="conflicts">
        {readings.slice(0, MOST_SHOWN).map(({ id, review_status, reviewed_by_name, reviewed_at }) => (
          <li key={id} class="prose">
            <a href={to(`/quarantine/readings/${id}`)}>#{id}</a> <StateBadge state={review_status} />{" "}
            {reviewed_by_name ? `by ${reviewed_by_name}` : ""} <Time at={reviewed_at} />
          </li>
        ))}
      </ul>
      {readings.length > MOST_SHOWN ? (
        <p class="muted small">and {count(readings.length - MOST_SHOWN)} more</p>
      ) : null}
      {left > 0 ? (
        <p>
          <button type="button" class="button" onClick={() => onLeaveOut(readings.map(({ id }) => id))}>
            Go on with the other {count(left)}
          </button>
        </p>
      ) : null}
    </section>
  );
}
