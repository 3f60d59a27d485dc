/** One webhook: how it is, what can be done with it, and what was sent. */
import { useState } from "preact/hooks";
import type { WebhookView } from "../../../../contract/webhook.ts";
import { count } from "../../lib/format.ts";
import { useResource } from "../../lib/resource.ts";
import { to } from "../../lib/router.ts";
import { Facts, PageFrame, Panel } from "../../ui/page.tsx";
import { Shown } from "../../ui/states.tsx";
import { Time, timeFact } from "../../ui/time.tsx";
import { Deliveries } from "./deliveries.tsx";
import { WebhookActions } from "./webhook-actions.tsx";
import { nameOf, WebhookState } from "./webhooks.tsx";

const EVERY_MS = 5_000;
const REASONS = {
  user: "by request",
  owner: "its user is inactive, or no admin any more",
  gone: "its receiver answered 410",
  failing: "it failed for five days",
} as const;

export function WebhookPage({ id }: { id: string }) {
  const path = `/api/v1/webhooks/${id}`;
  const webhook = useResource<WebhookView>(path, EVERY_MS);
  const [sent, setSent] = useState(0);
  return (
    <PageFrame
      title={webhook.data ? nameOf(webhook.data) : "Webhook"}
      above={[to("/webhooks"), "Webhooks"]}
      side={
        webhook.data ? (
          <WebhookActions path={path} webhook={webhook} onSent={() => setSent((times) => times + 1)} />
        ) : null
      }
    >
      <Shown of={webhook}>{(data) => <State webhook={data} />}</Shown>
      <Deliveries webhook_id={id} round={sent} />
    </PageFrame>
  );
}

function State({ webhook }: { webhook: WebhookView }) {
  const { disabled_at, disabled_reason } = webhook;
  return (
    <Panel title="Webhook" side={<WebhookState webhook={webhook} />}>
      <Facts
        items={[
          [
            "Address",
            <span key="url" class="mono id">
              {webhook.url}
            </span>,
          ],
          ["Told of", webhook.events.join(", ")],
          ["About", webhook.scope === "all" ? "everybody's batches" : "own batches"],
          ["Of", webhook.created_by_name ?? "a user who is gone"],
          disabled_at !== null &&
            disabled_reason !== null && [
              "Disabled",
              <Since key="off" at={disabled_at} why={REASONS[disabled_reason]} />,
            ],
          timeFact("Failing since", webhook.failing_since),
          timeFact("Its receiver asked for a pause until", webhook.paused_until),
          timeFact("Nothing noted since", webhook.overflow_since),
          ["Waiting", count(webhook.pending)],
          timeFact("Oldest waits since", webhook.oldest_pending_at),
          ["Last success", <Time key="good" at={webhook.last_success_at} />],
          ["Last failure", <Time key="bad" at={webhook.last_failure_at} />],
          timeFact("The secret before signs until", webhook.previous_secret_until),
        ]}
      />
    </Panel>
  );
}

const Since = ({ at, why }: { at: string; why: string }) => (
  <>
    <Time at={at} />, {why}
  </>
);
