/** Accounts, for admins: made, changed, given a password. */
import { useState } from "preact/hooks";
import type { UserView } from "../../../../contract/access.ts";
import { budgetText } from "../../lib/budget.ts";
import { count } from "../../lib/format.ts";
import { useList } from "../../lib/list.ts";
import { to } from "../../lib/router.ts";
import { Badge } from "../../ui/badge.tsx";
import { ListView } from "../../ui/list.tsx";
import { PageFrame } from "../../ui/page.tsx";
import { Table } from "../../ui/table.tsx";
import { Time } from "../../ui/time.tsx";
import { ChangeUserDialog } from "./change-user.tsx";
import { NewUserDialog } from "./new-user.tsx";
import { PasswordDialog } from "./password.tsx";

interface Wish {
  readonly kind: "change" | "password";
  readonly user: UserView;
}

export function UsersPage() {
  const list = useList<UserView>("/api/v1/users");
  const [making, setMaking] = useState(false);
  const [wish, setWish] = useState<Wish | null>(null);
  return (
    <PageFrame
      title="Users"
      side={
        <button type="button" class="button primary" onClick={() => setMaking(true)}>
          New user
        </button>
      }
    >
      <section class="panel" aria-label="Users">
        <ListView list={list} empty="No users" emptyHint="New user makes the first one.">
          {(users) => <UserTable users={users} onWish={setWish} />}
        </ListView>
      </section>
      {making ? <NewUserDialog onClose={() => setMaking(false)} onDone={list.reload} /> : null}
      {wish?.kind === "change" ? (
        <ChangeUserDialog user={wish.user} onClose={() => setWish(null)} onDone={list.reload} />
      ) : null}
      {wish?.kind === "password" ? <PasswordDialog user={wish.user} onClose={() => setWish(null)} /> : null}
    </PageFrame>
  );
}

interface UserTableProps {
  readonly users: readonly UserView[];
  readonly onWish: (wish: Wish) => void;
}

const UserTable = ({ users, onWish }: UserTableProps) => (
  <Table
    label="Users"
    rows={users}
    keyOf={({ id }) => id}
    columns={[
      { label: "User", name: true, cell: (user) => <UserName of={user} /> },
      { label: "Role", cell: ({ role }) => role },
      {
        label: "State",
        cell: ({ active }) => (active ? <Badge tone="good">active</Badge> : <Badge>disabled</Badge>),
      },
      { label: "Systems", cell: ({ systems }) => (systems === null ? "all" : count(systems.length)) },
      { label: "Requests", figures: true, cell: (user) => <Budget of={user.requests_per_minute} /> },
      { label: "Readings", figures: true, cell: (user) => <Budget of={user.readings_per_minute} /> },
      { label: "Since", cell: ({ created_at }) => <Time at={created_at} day /> },
      { label: "Actions", cell: (user) => <UserActions user={user} onWish={onWish} /> },
    ]}
  />
);

/** Of somebody from outside: whose account it is. */
const UserName = ({ of: { username, issuer } }: { of: UserView }) => (
  <div class="stack">
    <strong>{username}</strong>
    {issuer === null ? null : <span class="muted small">account of {issuer}</span>}
  </div>
);

const Budget = ({ of: perMinute }: { of: number | null }) => (
  <span class={perMinute === null ? "nought" : undefined}>{budgetText(perMinute)}</span>
);

const UserActions = ({ user, onWish }: { user: UserView; onWish: (wish: Wish) => void }) => (
  <span class="row-actions">
    <button type="button" class="button small-button" onClick={() => onWish({ kind: "change", user })}>
      Change<span class="unseen"> {user.username}</span>
    </button>
    <a class="button small-button" href={to("/audit", { actor: user.id })}>
      Audit entries
    </a>
    {user.issuer === null ? (
      <button type="button" class="button small-button" onClick={() => onWish({ kind: "password", user })}>
        Password<span class="unseen"> of {user.username}</span>
      </button>
    ) : null}
  </span>
);
