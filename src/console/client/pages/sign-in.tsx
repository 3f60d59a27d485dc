/** Sign in; the address stays, so that the visitor arrives where they wanted to go. */
import { useLayoutEffect, useState } from "preact/hooks";
import type { Session } from "../../../contract/session.ts";
import { leave, signIn } from "../lib/api.ts";
import { useAction } from "../lib/resource.ts";
import { Dialog } from "../ui/dialog.tsx";
import { TextField } from "../ui/field.tsx";
import { BrandMark } from "../ui/icons.tsx";
import { ProblemBox } from "../ui/states.tsx";

export function SignInPage() {
  // At once with the form: who knows the page begins to type
  useLayoutEffect(() => {
    document.title = "Sign in · Hydraulic Ingest";
    document.querySelector<HTMLElement>("[data-first]")?.focus();
  }, []);
  return (
    <main class="sign-in">
      <p class="brand">
        <BrandMark />
        Hydraulic Ingest
      </p>
      <div class="panel">
        <header class="panel-head">
          <h1>Sign in</h1>
        </header>
        <SignInForm />
      </div>
    </main>
  );
}

/** Before everything else, and nothing behind it can be read; signing in leads back to what was being done. */
export const SignInAgain = ({ user }: Pick<Session, "user">) => (
  <Dialog title="Your session is over">
    <div class="sign-in-again">
      <p>Sign in again to go on. What you have typed is kept.</p>
      <SignInForm username={user.username} />
      <button type="button" class="link-button" onClick={leave}>
        Leave it, and sign in from the start
      </button>
    </div>
  </Dialog>
);

/** @param username of who was here, who need only type the password */
function SignInForm({ username: known }: { username?: string }) {
  const [username, setUsername] = useState(known ?? "");
  const [password, setPassword] = useState("");
  const { busy, problem, run } = useAction();
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void run(() => signIn(username, password));
      }}
    >
      {problem ? <ProblemBox problem={problem} /> : null}
      <TextField
        label="User name"
        name="username"
        value={username}
        onValue={setUsername}
        autocomplete="username"
        first={known === undefined}
        required
      />
      <TextField
        label="Password"
        name="password"
        type="password"
        value={password}
        onValue={setPassword}
        autocomplete="current-password"
        first={known !== undefined}
        required
      />
      <button type="submit" class="button primary" disabled={busy}>
        {busy ? "Signing in…" : "Sign in"}
      </button>
    </form>
  );
}
