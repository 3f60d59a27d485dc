/** Changes what an account may do, and whether it may at all. */
import { useState } from "preact/hooks";
import type { UserView } from "../../../../contract/access.ts";
import { call } from "../../lib/api.ts";
import { TextField } from "../../ui/field.tsx";
import { FormDialog } from "../../ui/form-dialog.tsx";
import { notify } from "../../ui/notices.tsx";
import { formOf, grantsOf, UserFields } from "./user-fields.tsx";

interface ChangeUserProps {
  readonly user: UserView;
  readonly onClose: () => void;
  readonly onDone: () => void;
}

export function ChangeUserDialog({ user, onClose, onDone }: ChangeUserProps) {
  const [form, setForm] = useState(() => formOf(user));
  const [active, setActive] = useState(user.active);
  const [note, setNote] = useState("");
  const isOutside = user.issuer !== null;
  const work = async () => {
    const body = {
      ...grantsOf(form),
      ...(isOutside ? {} : { role: form.role }),
      active,
      ...(note.trim() === "" ? {} : { note: note.trim() }),
    };
    await call(`/api/v1/users/${user.id}`, { method: "PATCH", body });
    notify(`${user.username} is changed.`);
    onClose();
    onDone();
  };
  const ready = form.systems?.length !== 0;
  return (
    <FormDialog title={`Change ${user.username}`} verb="Change" ready={ready} work={work} onClose={onClose}>
      <ActiveField active={active} onActive={setActive} />
      <UserFields form={form} change={(changes) => setForm({ ...form, ...changes })} isOutside={isOutside} />
      <TextField label="Note" value={note} onValue={setNote} hint="Kept in the audit log." />
    </FormDialog>
  );
}

const ActiveField = ({ active, onActive }: { active: boolean; onActive: (active: boolean) => void }) => (
  <div class="field">
    <div class="choice-row">
      <label>
        <input
          type="checkbox"
          checked={active}
          onChange={(event) => onActive(event.currentTarget.checked)}
          data-first=""
        />
        Active: may sign in, and its keys work
      </label>
    </div>
    <span class="hint">Another role, and turning it off, end what is signed in.</span>
  </div>
);
