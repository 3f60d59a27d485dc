/** Addresses that are told of ended jobs and of alerts. */
import { useState } from "preact/hooks";
import type { WebhookView } from "../../../../contract/webhook.ts";
import { count } from "../../lib/format.ts";
import { useList } from "../../lib/list.ts";
import { to } from "../../lib/router.ts";
import { Badge } from "../../ui/badge.tsx";
import { ListView } from "../../ui/list.tsx";
import { PageFrame } from "../../ui/page.tsx";
import { Table } from "../../ui/table.tsx";
import { Time } from "../../ui/time.tsx";
import { NewWebhookDialog } from "./new-webhook.tsx";

/** What a webhook is called in a list: its description, or where it leads. */
export const nameOf = ({ description, url }: Pick<WebhookView, "description" | "url">) =>
  description || new URL(url).host;

/** How a webhook is, worst first. */
export function WebhookState({ webhook }: { webhook: WebhookView }) {
  if (!webhook.enabled)
    return <Badge tone={webhook.disabled_reason === "user" ? "plain" : "bad"}>disabled</Badge>;
  if (webhook.overflow_since) return <Badge tone="bad">too much waits</Badge>;
  if (webhook.failing_since) return <Badge tone="warn">failing</Badge>;
  if (webhook.paused_until) return <Badge tone="info">paused</Badge>;
  if (!webhook.last_success_at) return <Badge>not told yet</Badge>;
  return <Badge tone="good">working</Badge>;
}

export function WebhooksPage() {
  const list = useList<WebhookView>("/api/v1/webhooks");
  const [making, setMaking] = useState(false);
  return (
    <PageFrame
      title="Webhooks"
      side={
        <button type="button" class="button primary" onClick={() => setMaking(true)}>
          New webhook
        </button>
      }
    >
      <section class="panel" aria-label="Webhooks">
        <ListView
          list={list}
          empty="No webhooks"
          emptyHint="A webhook gets a signed POST for each job that ends, so that nobody has to ask. New webhook makes one."
        >
          {(webhooks) => <WebhookTable webhooks={webhooks} />}
        </ListView>
      </section>
      {making ? <NewWebhookDialog onClose={() => setMaking(false)} onMade={list.reload} /> : null}
    </PageFrame>
  );
}

const WebhookTable = ({ webhooks }: { webhooks: readonly WebhookView[] }) => (
  <Table
    label="Webhooks"
    rows={webhooks}
    keyOf={({ id }) => id}
    columns={[
      {
        label: "Webhook",
        name: true,
        cell: (webhook) => <a href={to(`/webhooks/${webhook.id}`)}>{nameOf(webhook)}</a>,
      },
      { label: "State", cell: (webhook) => <WebhookState webhook={webhook} /> },
      { label: "Told", cell: ({ events }) => events.join(", ") },
      { label: "About", cell: ({ scope }) => (scope === "all" ? "everybody's batches" : "own batches") },
      { label: "Of", cell: ({ created_by_name }) => created_by_name ?? "a user who is gone" },
      { label: "Waiting", figures: true, cell: ({ pending }) => count(pending) },
      { label: "Last success", cell: ({ last_success_at }) => <Time at={last_success_at} relative /> },
    ]}
  />
);
