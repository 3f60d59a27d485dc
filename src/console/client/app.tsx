/** Chooses between signing in and the page that the address names. */

import { type ComponentChildren, Fragment } from "preact";
import { useEffect } from "preact/hooks";
import type { Session } from "../../contract/session.ts";
import { type Group, groupText, homeOf, isIn } from "./lib/access.ts";
import { loadSession, session, sessionOver, sessionTrouble } from "./lib/api.ts";
import { navigate, to, usePlace } from "./lib/router.ts";
import { useShared } from "./lib/shared.ts";
import { AccountPage } from "./pages/account.tsx";
import { AlertsPage } from "./pages/alerts.tsx";
import { AuditPage } from "./pages/audit.tsx";
import { DeadLetterPage } from "./pages/dead-letter.tsx";
import { DeadLettersPage } from "./pages/dead-letters.tsx";
import { JobPage } from "./pages/job.tsx";
import { JobsPage } from "./pages/jobs.tsx";
import { KeysPage } from "./pages/keys/keys.tsx";
import { MappingsPage } from "./pages/mappings/mappings.tsx";
import { OverviewPage } from "./pages/overview.tsx";
import { IncidentsPage } from "./pages/quarantine/incidents.tsx";
import { ReadingPage } from "./pages/quarantine/reading.tsx";
import { ReadingsPage } from "./pages/quarantine/readings.tsx";
import { TaskPage } from "./pages/quarantine/task.tsx";
import { TasksPage } from "./pages/quarantine/tasks.tsx";
import { SignInAgain, SignInPage } from "./pages/sign-in.tsx";
import { SensorPage } from "./pages/systems/sensor.tsx";
import { SystemPage } from "./pages/systems/system.tsx";
import { SystemsPage } from "./pages/systems/systems.tsx";
import { UsersPage } from "./pages/users/users.tsx";
import { DeliveryPage } from "./pages/webhooks/delivery.tsx";
import { WebhookPage } from "./pages/webhooks/webhook.tsx";
import { WebhooksPage } from "./pages/webhooks/webhooks.tsx";
import { WorkersPage } from "./pages/workers.tsx";
import { PageFrame } from "./ui/page.tsx";
import { Shell } from "./ui/shell.tsx";
import { Empty, Loading, ProblemBox } from "./ui/states.tsx";

type Draw = (parts: readonly string[], session: Session) => ComponentChildren;

/** Patterns of paths below /console; `:` stands for any one part. The first that fits is drawn. */
const ROUTES: readonly { readonly pattern: string; readonly group: Group; readonly draw: Draw }[] = [
  { pattern: "/", group: "readers", draw: () => <OverviewPage /> },
  { pattern: "/jobs", group: "everybody", draw: () => <JobsPage /> },
  { pattern: "/jobs/:", group: "everybody", draw: ([id = ""]) => <JobPage key={id} id={id} /> },
  { pattern: "/quarantine", group: "readers", draw: () => <IncidentsPage /> },
  { pattern: "/quarantine/readings", group: "readers", draw: () => <ReadingsPage /> },
  {
    pattern: "/quarantine/readings/:",
    group: "readers",
    draw: ([id = ""]) => <ReadingPage key={id} id={id} />,
  },
  { pattern: "/quarantine/tasks", group: "readers", draw: () => <TasksPage /> },
  { pattern: "/quarantine/tasks/:", group: "readers", draw: ([id = ""]) => <TaskPage key={id} id={id} /> },
  { pattern: "/systems", group: "everybody", draw: () => <SystemsPage /> },
  { pattern: "/systems/:", group: "everybody", draw: ([id = ""]) => <SystemPage key={id} id={id} /> },
  {
    pattern: "/systems/:/mappings",
    group: "everybody",
    draw: ([id = ""]) => <MappingsPage key={id} system_id={id} />,
  },
  {
    pattern: "/systems/:/sensors/:",
    group: "everybody",
    draw: ([system = "", id = ""]) => <SensorPage key={id} system_id={system} id={id} />,
  },
  { pattern: "/dead-letters", group: "readers", draw: () => <DeadLettersPage /> },
  {
    pattern: "/dead-letters/:/:",
    group: "readers",
    draw: ([partition = "", entry = ""]) => <DeadLetterPage key={entry} id={`${partition}/${entry}`} />,
  },
  { pattern: "/alerts", group: "readers", draw: () => <AlertsPage /> },
  { pattern: "/workers", group: "readers", draw: () => <WorkersPage /> },
  { pattern: "/webhooks", group: "webhook-users", draw: () => <WebhooksPage /> },
  {
    pattern: "/webhooks/:",
    group: "webhook-users",
    draw: ([id = ""]) => <WebhookPage key={id} id={id} />,
  },
  {
    pattern: "/webhooks/:/deliveries/:",
    group: "webhook-users",
    draw: ([webhook = "", id = ""]) => <DeliveryPage key={id} webhook_id={webhook} id={id} />,
  },
  { pattern: "/keys", group: "everybody", draw: () => <KeysPage /> },
  { pattern: "/account", group: "everybody", draw: (_, session) => <AccountPage session={session} /> },
  { pattern: "/users", group: "admins", draw: () => <UsersPage /> },
  { pattern: "/audit", group: "admins", draw: () => <AuditPage /> },
];

/** The parts that `:` stands for; null when the path does not fit. */
function fit(pattern: string, path: string): readonly string[] | null {
  const wanted = pattern.split("/");
  const given = path.split("/");
  if (wanted.length !== given.length) return null;
  if (!wanted.every((part, index) => part === ":" || part === given[index])) return null;
  return given.filter((_, index) => wanted[index] === ":");
}

export function App() {
  const current = useShared(session);
  const trouble = useShared(sessionTrouble);
  const isOver = useShared(sessionOver);
  if (current === undefined) {
    return (
      <main class="waiting">
        {trouble ? <ProblemBox problem={trouble} retry={() => void loadSession()} /> : <Loading />}
      </main>
    );
  }
  if (current === null) return <SignInPage />;
  // Another visitor begins anew; the same one goes on
  return (
    <Fragment key={current.user.id}>
      <Shell session={current}>
        <Routed session={current} />
      </Shell>
      {isOver ? <SignInAgain user={current.user} /> : null}
    </Fragment>
  );
}

function Routed({ session }: { session: Session }): ComponentChildren {
  const { path } = usePlace();
  const { role } = session.user;
  const home = homeOf(role);
  const isAtDoor = path === "/" && home !== "/";
  // Who has no overview begins with the first page that they have
  useEffect(() => {
    if (isAtDoor) navigate(to(home), { replace: true });
  }, [isAtDoor, home]);
  if (isAtDoor) return null;
  for (const { pattern, group, draw } of ROUTES) {
    const parts = fit(pattern, path);
    if (parts) return isIn(role, group) ? draw(parts, session) : <NotForRole group={group} home={home} />;
  }
  return (
    <PageFrame title="Nothing here">
      <Empty title="No page has this address">
        <a href={to(home)}>To the first page</a>
      </Empty>
    </PageFrame>
  );
}

const NotForRole = ({ group, home }: { group: Group; home: string }) => (
  <PageFrame title="Not for your role">
    <Empty title={`This page is for ${groupText(group)}`}>
      <a href={to(home)}>To the first page</a>
    </Empty>
  </PageFrame>
);
