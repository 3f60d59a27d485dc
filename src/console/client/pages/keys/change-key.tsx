/** Changes the name of a key, and for admins its limits. What it reaches and when it ends was said when it was made. */
import { useState } from "preact/hooks";
import type { KeyChange, KeyView } from "../../../../contract/access.ts";
import { useIsAdmin } from "../../lib/access.ts";
import { call } from "../../lib/api.ts";
import { budgetOf } from "../../lib/budget.ts";
import { useSystemNames } from "../../lib/names.ts";
import { TextField } from "../../ui/field.tsx";
import { FormDialog } from "../../ui/form-dialog.tsx";
import { notify } from "../../ui/notices.tsx";
import { Facts } from "../../ui/page.tsx";
import { BudgetFields } from "../../ui/reach-fields.tsx";
import { Time } from "../../ui/time.tsx";

interface ChangeKeyProps {
  readonly of: KeyView;
  readonly onClose: () => void;
  readonly onDone: () => void;
}

export function ChangeKeyDialog({ of: key, onClose, onDone }: ChangeKeyProps) {
  const [name, setName] = useState(key.name);
  const [budgets, setBudgets] = useState({
    requests: String(key.requests_per_minute ?? ""),
    readings: String(key.readings_per_minute ?? ""),
  });
  const [note, setNote] = useState("");
  const isAdmin = useIsAdmin();
  const work = async () => {
    const limits = {
      requests_per_minute: budgetOf(budgets.requests, "Requests a minute"),
      readings_per_minute: budgetOf(budgets.readings, "Readings a minute"),
    };
    const body: KeyChange = {
      name: name.trim(),
      ...(isAdmin ? limits : {}),
      ...(note.trim() === "" ? {} : { note: note.trim() }),
    };
    await call(`/api/v1/keys/${key.id}`, { method: "PATCH", body });
    notify(`${name.trim()} is changed.`);
    onClose();
    onDone();
  };
  return (
    <FormDialog
      title={`Change ${key.name}`}
      verb="Change"
      ready={name.trim() !== ""}
      work={work}
      onClose={onClose}
    >
      <TextField label="Name" first required value={name} onValue={setName} hint="What uses it, and where." />
      {isAdmin ? (
        <BudgetFields
          otherwise="as its owner"
          budgets={budgets}
          onBudgets={(changes) => setBudgets({ ...budgets, ...changes })}
        />
      ) : null}
      <TextField label="Note" value={note} onValue={setNote} hint="Kept in the audit log." />
      <Reach of={key} />
    </FormDialog>
  );
}

/** What stays as it is, whoever asks. */
function Reach({ of: { username, scopes, systems, expires_at } }: { of: KeyView }) {
  const nameOf = useSystemNames();
  return (
    <>
      <Facts
        items={[
          ["Owner", username],
          ["May", scopes.join(", ")],
          ["Systems", systems === null ? "all of its owner" : systems.map(nameOf).join(", ")],
          ["Ends", expires_at ? <Time key="ends" at={expires_at} /> : "never"],
        ]}
      />
      <p class="muted small">
        These stay as they were made: whoever has the key must not find that it may do more. For others, make
        another key and revoke this one.
      </p>
    </>
  );
}
