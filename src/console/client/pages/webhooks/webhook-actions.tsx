/** What can be done with a webhook: test it, turn it off and on, give it a new secret, delete it. */
import { useState } from "preact/hooks";
import type { DeliveryView, WebhookView } from "../../../../contract/webhook.ts";
import { call, post } from "../../lib/api.ts";
import { type Resource, useAction } from "../../lib/resource.ts";
import { navigate, to } from "../../lib/router.ts";
import { AskDialog } from "../../ui/ask.tsx";
import { notify } from "../../ui/notices.tsx";
import { SecretDialog } from "../../ui/secret.tsx";
import { ProblemBox } from "../../ui/states.tsx";

const WISHES = {
  rotate: {
    title: "Replace the secret",
    explanation:
      "A new secret is made and shown. For 24 hours both sign, so that receivers can change at their leisure.",
    verb: "Replace it",
    danger: false,
  },
  delete: {
    title: "Delete this webhook",
    explanation:
      "Its address is told nothing any more, and its deliveries are gone. What was done stays in the audit log.",
    verb: "Delete",
    danger: true,
  },
} as const;

interface ActionsProps {
  readonly path: string;
  readonly webhook: Resource<WebhookView>;
  /** Something was sent, or may be sent now. */
  readonly onSent: () => void;
}

export function WebhookActions({ path, webhook, onSent }: ActionsProps) {
  const enabled = webhook.data?.enabled ?? false;
  const { busy, problem, run } = useAction();
  const [asked, setAsked] = useState<keyof typeof WISHES | null>(null);
  const [secret, setSecret] = useState<string | null>(null);
  const done = (text: string) => {
    notify(text);
    webhook.reload();
    onSent();
  };
  const test = () =>
    run(async () => {
      await post<DeliveryView>(`${path}/test`, {});
      done("The test is on its way.");
    });
  const turn = () =>
    run(async () => {
      await call(path, { method: "PATCH", body: { enabled: !enabled } });
      done(enabled ? "It is told nothing any more." : "It is told again.");
    });
  return (
    <>
      {problem ? <ProblemBox problem={problem} /> : null}
      <button type="button" class="button primary" disabled={busy} onClick={() => void test()}>
        Send a test
      </button>
      <button type="button" class="button" disabled={busy} onClick={() => void turn()}>
        {enabled ? "Disable" : "Enable"}
      </button>
      <button type="button" class="button" onClick={() => setAsked("rotate")}>
        New secret
      </button>
      <button type="button" class="button danger" onClick={() => setAsked("delete")}>
        Delete
      </button>
      {asked ? (
        <AskDialog
          {...WISHES[asked]}
          work={async () => {
            if (asked === "delete") await remove(path);
            else setSecret(await rotate(path));
          }}
          onClose={() => setAsked(null)}
        />
      ) : null}
      {secret ? <NewSecret secret={secret} onClose={() => setSecret(null)} /> : null}
    </>
  );
}

async function remove(path: string): Promise<void> {
  await call(path, { method: "DELETE" });
  notify("The webhook is deleted.");
  navigate(to("/webhooks"));
}

const rotate = async (path: string) => (await post<{ secret: string }>(`${path}/secret`, {})).secret;

const NewSecret = ({ secret, onClose }: { secret: string; onClose: () => void }) => (
  <SecretDialog
    use="Receivers verify signatures with this secret; keep it where they read it."
    title="The new secret"
    secret={secret}
    note="The one until now signs as well for 24 hours."
    onClose={onClose}
  />
);
