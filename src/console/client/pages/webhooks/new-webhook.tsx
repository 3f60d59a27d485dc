/** Asks for what a new webhook needs, and shows its secret, this once. */
import { useState } from "preact/hooks";
import type { WebhookMade } from "../../../../contract/webhook.ts";
import { ALERT_EVENTS, JOB_EVENTS, type WebhookEvent } from "../../../../contract/webhook-events.ts";
import { useIsAdmin } from "../../lib/access.ts";
import { post } from "../../lib/api.ts";
import { useAction } from "../../lib/resource.ts";
import { Dialog } from "../../ui/dialog.tsx";
import { TextField } from "../../ui/field.tsx";
import { SecretDialog } from "../../ui/secret.tsx";
import { ProblemBox } from "../../ui/states.tsx";

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
  const { busy, problem, run } = useAction();
  const change = (changes: Partial<FormState>) => setForm({ ...form, ...changes });
  const send = (event: Event) => {
    event.preventDefault();
    void run(async () => {
      setMade(await post<WebhookMade>("/api/v1/webhooks", { ...form, url: form.url.trim() }));
      onMade();
    });
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
  const ready = !busy && form.url.trim() !== "" && form.events.length > 0;
  return (
    <Dialog title="New webhook" onClose={onClose}>
      <form onSubmit={send}>
        <div class="dialog-body">
          <Fields form={form} change={change} />
          {problem ? <ProblemBox problem={problem} /> : null}
        </div>
        <footer class="dialog-foot">
          <button type="button" class="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" class="button primary" disabled={!ready}>
            {busy ? "Making…" : "Make the webhook"}
          </button>
        </footer>
      </form>
    </Dialog>
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
      <EventsField offered={offered} events={events} onEvents={(next) => change({ events: next })} />
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

interface EventsFieldProps {
  readonly offered: readonly WebhookEvent[];
  readonly events: readonly WebhookEvent[];
  readonly onEvents: (events: readonly WebhookEvent[]) => void;
}

const EventsField = ({ offered, events, onEvents }: EventsFieldProps) => (
  <fieldset class="field">
    <legend>Told of</legend>
    <div class="choice-row">
      {offered.map((event) => (
        <label key={event}>
          <input
            type="checkbox"
            checked={events.includes(event)}
            onChange={() =>
              onEvents(
                events.includes(event) ? events.filter((other) => other !== event) : [...events, event],
              )
            }
          />
          {event}
        </label>
      ))}
    </div>
  </fieldset>
);
