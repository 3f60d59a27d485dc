/** Asks for what a new webhook needs, and shows its secret, this once. */
import { useState } from "preact/hooks";
import type { WebhookMade } from "../../../../contract/webhook.ts";
import { ALERT_EVENTS, JOB_EVENTS, type WebhookEvent } from "../../../../contract/webhook-events.ts";
import { useIsAdmin } from "../../lib/access.ts";
import { post } from "../../lib/api.ts";
import { Checks } from "../../ui/checks.tsx";
import { TextField } from "../../ui/field.tsx";
import { FormDialog } from "../../ui/form-dialog.tsx";
import { SecretDialog } from "../../ui/secret.tsx";

interface NewWebhookProps {
  readonly onClose: () => void;
  readonly onMade: () => void;
}

interface FormState {
  readonly url: string;
  readonly description: string;
  readonly scope: "own" | "all";
  readonly events: readonly WebhookEvent[];
}
const START: FormState = { url: "", description: "", scope: "own", events: [...JOB_EVENTS] };

export function NewWebhookDialog({ onClose, onMade }: NewWebhookProps) {
  const [form, setForm] = useState(START);
  const [made, setMade] = useState<WebhookMade | null>(null);
  const change = (changes: Partial<FormState>) => setForm({ ...form, ...changes });
  const work = async () => {
    setMade(await post<WebhookMade>("/api/v1/webhooks", { ...form, url: form.url.trim() }));
    onMade();
  };
  if (made)
    return (
      <SecretDialog
        use="Receivers verify signatures with this secret; keep it where they read it."
        title="The webhook is made"
        secret={made.secret}
        onClose={onClose}
      />
    );
  const ready = form.url.trim() !== "" && form.events.length > 0;
  return (
    <FormDialog
      title="New webhook"
      verb="Make the webhook"
      doing="Making…"
      ready={ready}
      work={work}
      onClose={onClose}
    >
      <Fields form={form} change={change} />
    </FormDialog>
  );
}

interface FieldsProps {
  readonly form: FormState;
  readonly change: (changes: Partial<FormState>) => void;
}

function Fields({ form, change }: FieldsProps) {
  const isAdmin = useIsAdmin();
  const { url, description, scope, events } = form;
  const offered = scope === "all" ? [...JOB_EVENTS, ...ALERT_EVENTS] : JOB_EVENTS;
  const about = (next: FormState["scope"]) => {
    const isJob = (event: WebhookEvent) => (JOB_EVENTS as readonly string[]).includes(event);
    change({ scope: next, events: next === "all" ? events : events.filter(isJob) });
  };
  return (
    <>
      <TextField
        label="Address"
        first
        required
        value={url}
        onValue={(value) => change({ url: value })}
        hint="It gets a POST for each event. https, and reachable from the service."
      />
      <TextField
        label="Description"
        value={description}
        onValue={(value) => change({ description: value })}
      />
      {isAdmin ? <ScopeField scope={scope} onScope={about} /> : null}
      <Checks
        legend="Told of"
        choices={offered.map((event) => [event, event] as const)}
        chosen={events}
        onChosen={(next) => change({ events: offered.filter((event) => next.includes(event)) })}
      />
    </>
  );
}

const SCOPES = [
  ["own", "My own batches"],
  ["all", "Everybody's batches, and alerts"],
] as const;

const ScopeField = ({
  scope,
  onScope,
}: {
  scope: FormState["scope"];
  onScope: (scope: FormState["scope"]) => void;
}) => (
  <fieldset class="field">
    <legend>About</legend>
    <div class="choice-row">
      {SCOPES.map(([value, text]) => (
        <label key={value}>
          <input type="radio" name="scope" checked={scope === value} onChange={() => onScope(value)} />
          {text}
        </label>
      ))}
    </div>
  </fieldset>
);
