/** Accounts, for admins: as the API lists them. */
import type { UserView } from "../../../contract/access.ts";
import { count } from "../lib/format.ts";
import { useList } from "../lib/resource.ts";
import { to } from "../lib/router.ts";
import { Badge } from "../ui/badge.tsx";
import { ListView } from "../ui/list.tsx";
import { PageFrame } from "../ui/page.tsx";
import { Table } from "../ui/table.tsx";
import { Time } from "../ui/time.tsx";

const budget = (perMinute: number | null) => (perMinute === null ? "default" : `${count(perMinute)}/min`);

export function UsersPage() {
  const list = useList<UserView>("/api/v1/users");
  return (
    <PageFrame title="Users">
      <section class="panel" aria-label="Users">
        <ListView list={list} empty="No users">
          {(users) => (
            <Table
              label="Users"
              rows={users}
              keyOf={({ id }) => id}
              columns={[
                { label: "User", name: true, cell: ({ username }) => <strong>{username}</strong> },
                { label: "Role", cell: ({ role }) => role },
                {
                  label: "State",
                  cell: ({ active }) =>
                    active ? <Badge tone="good">active</Badge> : <Badge>disabled</Badge>,
                },
                {
                  label: "Systems",
                  cell: ({ systems }) => (systems === null ? "all" : count(systems.length)),
                },
                { label: "Account of", cell: ({ issuer }) => issuer ?? "this service" },
                { label: "Requests", figures: true, cell: (user) => budget(user.requests_per_minute) },
                { label: "Readings", figures: true, cell: (user) => budget(user.readings_per_minute) },
                { label: "Since", cell: ({ created_at }) => <Time at={created_at} /> },
                {
                  label: "Record",
                  cell: ({ id }) => <a href={to("/audit", { actor: id })}>Audit entries</a>,
                },
              ]}
            />
          )}
        </ListView>
      </section>
    </PageFrame>
  );
}
