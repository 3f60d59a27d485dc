/** Makes an account. */
import { useState } from "preact/hooks";
import { MIN_PASSWORD_LENGTH } from "../../../../contract/passwords.ts";
import { post } from "../../lib/api.ts";
import { TextField } from "../../ui/field.tsx";
import { FormDialog } from "../../ui/form-dialog.tsx";
import { notify } from "../../ui/notices.tsx";
import { grantsOf, UserFields, type UserForm } from "./user-fields.tsx";

const START: UserForm = { role: "producer", systems: null, requests: "", readings: "" };

interface NewUserProps {
  readonly onClose: () => void;
  readonly onDone: () => void;
}

export function NewUserDialog({ onClose, onDone }: NewUserProps) {
  const [username, setUsername] = useState("");
  const [password, setPassword] = useState("");
  const [form, setForm] = useState(START);
  const work = async () => {
    await post("/api/v1/users", { username: username.trim(), password, role: form.role, ...grantsOf(form) });
    notify(`${username.trim()} can sign in now.`);
    onClose();
    onDone();
  };
  const ready = username.trim() !== "" && password !== "" && form.systems?.length !== 0;
  return (
    <FormDialog title="New user" verb="Make the user" ready={ready} work={work} onClose={onClose}>
      <TextField label="User name" first required value={username} onValue={setUsername} />
      <TextField
        label="Password"
        type="password"
        autocomplete="new-password"
        required
        value={password}
        onValue={setPassword}
        hint={`At least ${MIN_PASSWORD_LENGTH} characters; the user changes it on the page Account.`}
      />
      <UserFields form={form} change={(changes) => setForm({ ...form, ...changes })} />
    </FormDialog>
  );
}
