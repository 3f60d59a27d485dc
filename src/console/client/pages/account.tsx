/** One's own account: what it reaches, its password, and its end everywhere. */
import { useState } from "preact/hooks";
import { MIN_PASSWORD_LENGTH } from "../../../contract/passwords.ts";
import type { Session } from "../../../contract/session.ts";
import { leave, post } from "../lib/api.ts";
import { useSystemNames } from "../lib/names.ts";
import { useAction } from "../lib/resource.ts";
import { to } from "../lib/router.ts";
import { TextField } from "../ui/field.tsx";
import { showKeys } from "../ui/keys-help.tsx";
import { notify } from "../ui/notices.tsx";
import { Facts, PageFrame, Panel } from "../ui/page.tsx";
import { ProblemBox } from "../ui/states.tsx";
import { timeFact } from "../ui/time.tsx";

export function AccountPage({ session: current }: { session: Session }) {
  const nameOf = useSystemNames();
  const { user, expires_at } = current;
  return (
    <PageFrame title="Account">
      <Panel title={user.username} side={<SignOutEverywhere />}>
        <Facts
          items={[
            ["Role", user.role],
            ["Systems", user.systems === null ? "all" : user.systems.map(nameOf).join(", ")],
            timeFact("Signed in until", expires_at),
            [
              "API keys",
              <a key="keys" href={to("/keys")}>
                Keys of devices and programs
              </a>,
            ],
            [
              "Keyboard",
              <button key="keyboard" type="button" class="link-button" onClick={showKeys}>
                What the keys do, and whether they are on
              </button>,
            ],
          ]}
        />
      </Panel>
      <Panel title="Password">
        <PasswordForm />
      </Panel>
    </PageFrame>
  );
}

function SignOutEverywhere() {
  const { busy, problem, run } = useAction();
  const out = () =>
    run(async () => {
      await post("/api/v1/auth/logout?everywhere=true", undefined);
      leave();
    });
  return (
    <>
      {problem ? <ProblemBox problem={problem} /> : null}
      <button type="button" class="button" disabled={busy} onClick={() => void out()}>
        Sign out everywhere
      </button>
    </>
  );
}

function PasswordForm() {
  const [current, setCurrent] = useState("");
  const [next, setNext] = useState("");
  const { busy, problem, run } = useAction();
  const send = (event: Event) => {
    event.preventDefault();
    void run(async () => {
      await post("/api/v1/auth/password", { current_password: current, new_password: next });
      notify("The password is changed. Sign in with the new one.");
      leave();
    });
  };
  return (
    <form class="stacked" onSubmit={send}>
      <TextField
        label="Current password"
        type="password"
        autocomplete="current-password"
        required
        value={current}
        onValue={setCurrent}
      />
      <TextField
        label="New password"
        type="password"
        autocomplete="new-password"
        required
        value={next}
        onValue={setNext}
        hint={`At least ${MIN_PASSWORD_LENGTH} characters. You are signed out everywhere; API keys go on.`}
      />
      {problem ? <ProblemBox problem={problem} /> : null}
      <button type="submit" class="button primary" disabled={busy || current === "" || next === ""}>
        Change the password
      </button>
    </form>
  );
}
