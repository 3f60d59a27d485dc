/** Sign in; the address stays, so that the visitor arrives where they wanted to go. */
import { useEffect, useState } from "preact/hooks";
import { signIn } from "../lib/api.ts";
import { useAction } from "../lib/resource.ts";
import { TextField } from "../ui/field.tsx";
import { ProblemBox } from "../ui/states.tsx";

export function SignInPage() {
  const [username, setUsername] = useState("");
  const [password, setPassword] = useState("");
  const { busy, problem, run } = useAction();
  useEffect(() => {
    document.title = "Sign in · Hydraulic Ingest";
    document.querySelector<HTMLElement>("[data-first]")?.focus();
  }, []);
  return (
    <main class="sign-in">
      <p class="brand">
        <span class="brand-mark" aria-hidden="true" />
        Hydraulic Ingest
      </p>
      <div class="panel">
        <header class="panel-head">
          <h1>Sign in</h1>
        </header>
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
            first
            required
          />
          <TextField
            label="Password"
            name="password"
            type="password"
            value={password}
            onValue={setPassword}
            autocomplete="current-password"
            required
          />
          <button type="submit" class="button primary" disabled={busy}>
            {busy ? "Signing in…" : "Sign in"}
          </button>
        </form>
      </div>
    </main>
  );
}
