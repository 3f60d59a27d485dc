/** What was sent to a webhook, newest first; kept up to date while something waits. */
import { useEffect } from "preact/hooks";
import type { DeliveryView } from "../../../../contract/webhook.ts";
import { DELIVERED_EVENTS } from "../../../../contract/webhook-events.ts";
import { count, duration } from "../../lib/format.ts";
import { useList } from "../../lib/list.ts";
import { queryText, to, useFilters } from "../../lib/router.ts";
import { StateBadge } from "../../ui/badge.tsx";
import { ChoiceField, Filters } from "../../ui/field.tsx";
import { ListView } from "../../ui/list.tsx";
import { Panel } from "../../ui/page.tsx";
import { Table } from "../../ui/table.tsx";
import { Time } from "../../ui/time.tsx";

const SOON_MS = 2_000;
const STATES = [
  ["", "All"],
  ["pending", "Pending"],
  ["delivered", "Delivered"],
  ["failed", "Failed"],
] as const;

/** @param round another one asks anew */
export function Deliveries({ webhook_id, round }: { webhook_id: string; round: number }) {
  const [query, change] = useFilters();
  const filters = { state: query.get("state"), event: query.get("event") };
  const list = useList<DeliveryView>(`/api/v1/webhooks/${webhook_id}/deliveries?${queryText(filters)}`);
  // A test is looked for at once
  useEffect(() => {
    if (round > 0) list.reload();
  }, [round]);
  const isWaiting = list.items?.some(
    ({ next_attempt_at }) => next_attempt_at !== null && isSoon(next_attempt_at),
  );
  useEffect(() => {
    if (!isWaiting) return;
    const timer = setTimeout(list.reload, SOON_MS);
    return () => clearTimeout(timer);
  }, [isWaiting, list.items]);
  return (
    <Panel title="Deliveries">
      <Filters label="Filters of deliveries">
        <ChoiceField
          label="State"
          value={filters.state ?? ""}
          choices={STATES}
          onValue={(value) => change({ state: value })}
        />
        <ChoiceField
          label="Event"
          value={filters.event ?? ""}
          choices={[["", "All"], ...DELIVERED_EVENTS.map((event) => [event, event] as const)]}
          onValue={(value) => change({ event: value })}
        />
      </Filters>
      <ListView
        list={list}
        empty="No deliveries"
        emptyHint="They show here as soon as something has happened. To see one now, send a test."
        clear={filters.state || filters.event ? to(`/webhooks/${webhook_id}`) : null}
      >
        {(deliveries) => <DeliveryTable webhook_id={webhook_id} deliveries={deliveries} />}
      </ListView>
    </Panel>
  );
}

const isSoon = (at: string) => Date.parse(at) - Date.now() < 10_000;

const DeliveryTable = ({
  webhook_id,
  deliveries,
}: {
  webhook_id: string;
  deliveries: readonly DeliveryView[];
}) => (
  <Table
    label="Deliveries"
    rows={deliveries}
    keyOf={({ id }) => id}
    columns={[
      {
        label: "Event",
        cell: ({ id, event }) => <a href={to(`/webhooks/${webhook_id}/deliveries/${id}`)}>{event}</a>,
      },
      { label: "State", cell: ({ state }) => <StateBadge state={state} /> },
      { label: "Happened", cell: ({ created_at }) => <Time at={created_at} /> },
      { label: "Attempts", figures: true, cell: ({ attempts }) => count(attempts) },
      { label: "Last answer", wide: true, cell: ({ last_attempt }) => <Answer attempt={last_attempt} /> },
      { label: "Next attempt", cell: ({ next_attempt_at }) => <Time at={next_attempt_at} /> },
    ]}
  />
);

export function Answer({ attempt }: { attempt: DeliveryView["last_attempt"] }) {
  if (!attempt) return <span class="muted">none yet</span>;
  return (
    <>
      {attempt.error ?? attempt.status} <span class="muted small">{duration(attempt.ms)}</span>
    </>
  );
}
