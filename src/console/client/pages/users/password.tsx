/** Gives an account a password. */
import { useState } from "preact/hooks";
import type { UserView } from "../../../../contract/access.ts";
import { MIN_PASSWORD_LENGTH } from "../../../../contract/passwords.ts";
import { post } from "../../lib/api.ts";
import { TextField } from "../../ui/field.tsx";
import { FormDialog } from "../../ui/form-dialog.tsx";
import { notify } from "../../ui/notices.tsx";

export function PasswordDialog({ user, onClose }: { user: UserView; onClose: () => void }) {
  const [password, setPassword] = useState("");
  const work = async () => {
    await post(`/api/v1/users/${user.id}/password`, { password });
    notify(`${user.username} has a new password.`);
    onClose();
  };
  return (
    <FormDialog
      title={`Password of ${user.username}`}
      verb="Set the password"
      ready={password !== ""}
      work={work}
      onClose={onClose}
    >
      <TextField
        label="New password"
        type="password"
        autocomplete="new-password"
        first
        required
        value={password}
        onValue={setPassword}
        hint={`At least ${MIN_PASSWORD_LENGTH} characters. Whoever is signed in with this account is signed out.`}
      />
    </FormDialog>
  );
}
