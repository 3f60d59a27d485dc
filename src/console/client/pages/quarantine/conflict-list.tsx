/** Readings that somebody else has decided meanwhile. */
import type { QuarantinedReading } from "../../../../contract/quarantine-review.ts";
import { to } from "../../lib/router.ts";
import { StateBadge } from "../../ui/badge.tsx";
import { Time } from "../../ui/time.tsx";

type Decided = Pick<QuarantinedReading, "id" | "review_status" | "reviewed_by_name" | "reviewed_at">;

const MOST_SHOWN = 20;

export function ConflictList({ readings }: { readings: unknown }) {
  if (!Array.isArray(readings)) return null;
  return (
    <ul class="small">
      {(readings as Decided[])
        .slice(0, MOST_SHOWN)
        .map(({ id, review_status, reviewed_by_name, reviewed_at }) => (
          <li key={id}>
            <a href={to(`/quarantine/readings/${id}`)}>#{id}</a> <StateBadge state={review_status} />{" "}
            {reviewed_by_name ? `by ${reviewed_by_name}` : ""} <Time at={reviewed_at} />
          </li>
        ))}
    </ul>
  );
}
