/** Asks for what a new API key needs, and shows its secret, this once. */
import { useEffect, useState } from "preact/hooks";
import type { KeyView, UserView } from "../../../../contract/access.ts";
import { SCOPES, type Scope } from "../../../../contract/roles.ts";
import { useIsAdmin } from "../../lib/access.ts";
import { post } from "../../lib/api.ts";
import { budgetOf } from "../../lib/budget.ts";
import { useList } from "../../lib/list.ts";
import { Checks } from "../../ui/checks.tsx";
import { ChoiceField, TextField } from "../../ui/field.tsx";
import { FormDialog } from "../../ui/form-dialog.tsx";
import { Moment } from "../../ui/moment.tsx";
import { BudgetFields, type Budgets, SystemsField } from "../../ui/reach-fields.tsx";
import { SecretDialog } from "../../ui/secret.tsx";

/** The one answer that holds a secret. */
export interface KeyMade {
  readonly key: KeyView;
  readonly secret: string;
}

const SCOPE_TEXT: Readonly<Record<Scope, string>> = {
  ingest: "Send batches",
  read: "Read",
  write: "Change",
};
export const KEY_USE = "The device sends it as Authorization: Bearer, or as X-Api-Key.";

interface FormState extends Budgets {
  readonly name: string;
  readonly scopes: readonly string[];
  readonly systems: readonly string[] | null;
  readonly expires_at: string | null;
  /** Empty: the visitor. */
  readonly user_id: string;
}
const START: FormState = {
  name: "",
  scopes: ["ingest"],
  systems: null,
  expires_at: null,
  user_id: "",
  requests: "",
  readings: "",
};

interface NewKeyProps {
  readonly onClose: () => void;
  readonly onMade: () => void;
}

export function NewKeyDialog({ onClose, onMade }: NewKeyProps) {
  const [form, setForm] = useState(START);
  const [made, setMade] = useState<KeyMade | null>(null);
  const isAdmin = useIsAdmin();
  const change = (changes: Partial<FormState>) => setForm({ ...form, ...changes });
  const work = async () => {
    setMade(await post<KeyMade>("/api/v1/keys", bodyOf(form, isAdmin)));
    onMade();
  };
  if (made) {
    return <SecretDialog title="The key is made" use={KEY_USE} secret={made.secret} onClose={onClose} />;
  }
  const ready = form.name.trim() !== "" && form.scopes.length > 0 && form.systems?.length !== 0;
  return (
    <FormDialog title="New API key" verb="Make the key" ready={ready} work={work} onClose={onClose}>
      <TextField
        label="Name"
        first
        required
        value={form.name}
        onValue={(name) => change({ name })}
        hint="What uses it, and where."
      />
      <Checks
        legend="May be used to"
        choices={SCOPES.map((scope) => [scope, SCOPE_TEXT[scope]])}
        chosen={form.scopes}
        onChosen={(scopes) => change({ scopes })}
        hint="Within the role of its owner."
      />
      <SystemsField
        systems={form.systems}
        onSystems={(systems) => change({ systems })}
        all="All of its owner"
      />
      <Moment
        label="Ends, if ever"
        when="future"
        empty="Never"
        value={form.expires_at}
        onValue={(expires_at) => change({ expires_at })}
      />
      {isAdmin ? <ForAdmins form={form} change={change} /> : null}
    </FormDialog>
  );
}

/** @throws {FormError} */
function bodyOf(form: FormState, isAdmin: boolean) {
  const { name, scopes, systems, expires_at, user_id, requests, readings } = form;
  const common = { name: name.trim(), scopes, systems, expires_at };
  if (!isAdmin) return common;
  return {
    ...common,
    ...(user_id === "" ? {} : { user_id }),
    requests_per_minute: budgetOf(requests, "Requests a minute"),
    readings_per_minute: budgetOf(readings, "Readings a minute"),
  };
}

interface ForAdminsProps {
  readonly form: FormState;
  readonly change: (changes: Partial<FormState>) => void;
}

function ForAdmins({ form, change }: ForAdminsProps) {
  const { items, more } = useList<UserView>("/api/v1/users?limit=500");
  const users = items ?? [];
  // A choice has no end to scroll to: all of it is read.
  useEffect(() => more?.(), [items]);
  return (
    <>
      <ChoiceField
        label="Owner"
        value={form.user_id}
        choices={[["", "Yourself"], ...users.map(({ id, username }) => [id, username] as const)]}
        onValue={(user_id) => change({ user_id })}
      />
      <BudgetFields otherwise="as its owner" budgets={form} onBudgets={change} />
    </>
  );
}
