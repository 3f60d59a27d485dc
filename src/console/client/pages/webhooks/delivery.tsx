/** One delivery: its attempts and its body, and once more. */
import type { Attempt, DeliveryDetail } from "../../../../contract/webhook.ts";
import { post } from "../../lib/api.ts";
import { count } from "../../lib/format.ts";
import { useAction, useResource } from "../../lib/resource.ts";
import { to } from "../../lib/router.ts";
import { StateBadge } from "../../ui/badge.tsx";
import { notify } from "../../ui/notices.tsx";
import { Facts, PageFrame, Panel } from "../../ui/page.tsx";
import { Source } from "../../ui/source.tsx";
import { Empty, ProblemBox, Shown } from "../../ui/states.tsx";
import { Table } from "../../ui/table.tsx";
import { Time, timeFact } from "../../ui/time.tsx";
import { Answer } from "./deliveries.tsx";

const EVERY_MS = 3_000;

export function DeliveryPage({ webhook_id, id }: { webhook_id: string; id: string }) {
  const path = `/api/v1/webhooks/${webhook_id}/deliveries/${id}`;
  const delivery = useResource<DeliveryDetail>(path, EVERY_MS);
  const { busy, problem, run } = useAction();
  const again = () =>
    run(async () => {
      await post(`${path}/redeliver`, {});
      notify("It is delivered once more.");
      delivery.reload();
    });
  return (
    <PageFrame
      title={`Delivery #${id}`}
      above={[to(`/webhooks/${webhook_id}`), "Webhook"]}
      side={
        delivery.data ? (
          <button type="button" class="button primary" disabled={busy} onClick={() => void again()}>
            Deliver once more
          </button>
        ) : null
      }
    >
      {problem ? <ProblemBox problem={problem} /> : null}
      <Shown of={delivery}>{(data) => <Parts delivery={data} />}</Shown>
    </PageFrame>
  );
}

const Parts = ({ delivery }: { delivery: DeliveryDetail }) => (
  <>
    <Panel title={delivery.event} side={<StateBadge state={delivery.state} />}>
      <Facts
        items={[
          ["Happened", <Time key="at" at={delivery.created_at} />],
          [
            "webhook-id",
            <span key="id" class="mono id">
              {delivery.message_id}
            </span>,
          ],
          delivery.event.startsWith("job.") && [
            "Job",
            <a key="job" class="mono id" href={to(`/jobs/${delivery.subject_id}`)}>
              {delivery.subject_id}
            </a>,
          ],
          ["Attempts", count(delivery.attempts)],
          timeFact("Next attempt", delivery.next_attempt_at),
          timeFact("Ended", delivery.ended_at),
        ]}
      />
    </Panel>
    <Panel title="Attempts">
      {delivery.history.length === 0 ? (
        <Empty title="Not tried yet">The first attempt comes within seconds: load the page again.</Empty>
      ) : (
        <AttemptTable attempts={delivery.history.toReversed()} />
      )}
    </Panel>
    <Panel title="Body">
      <Source label="Body">{JSON.stringify(delivery.payload, null, 2)}</Source>
    </Panel>
  </>
);

const AttemptTable = ({ attempts }: { attempts: readonly Attempt[] }) => (
  <Table
    label="Attempts"
    rows={attempts}
    keyOf={({ at }) => at}
    columns={[
      { label: "When", cell: ({ at }) => <Time at={at} /> },
      { label: "Answer", wide: true, cell: (attempt) => <Answer attempt={attempt} /> },
      {
        label: "It said",
        wide: true,
        cell: ({ response }) => <span class="mono small">{response || "–"}</span>,
      },
    ]}
  />
);
