/** Chooses between signing in and the page that the address names. */

import type { ComponentChildren } from "preact";
import { session } from "./lib/api.ts";
import { to, usePlace } from "./lib/router.ts";
import { useShared } from "./lib/shared.ts";
import { AlertsPage } from "./pages/alerts.tsx";
import { AuditPage } from "./pages/audit.tsx";
import { DeadLetterPage } from "./pages/dead-letter.tsx";
import { DeadLettersPage } from "./pages/dead-letters.tsx";
import { JobPage } from "./pages/job.tsx";
import { JobsPage } from "./pages/jobs.tsx";
import { OverviewPage } from "./pages/overview.tsx";
import { IncidentsPage } from "./pages/quarantine/incidents.tsx";
import { ReadingPage } from "./pages/quarantine/reading.tsx";
import { ReadingsPage } from "./pages/quarantine/readings.tsx";
import { TaskPage } from "./pages/quarantine/task.tsx";
import { TasksPage } from "./pages/quarantine/tasks.tsx";
import { SignInPage } from "./pages/sign-in.tsx";
import { SensorPage } from "./pages/systems/sensor.tsx";
import { SystemPage } from "./pages/systems/system.tsx";
import { SystemsPage } from "./pages/systems/systems.tsx";
import { UsersPage } from "./pages/users.tsx";
import { WorkersPage } from "./pages/workers.tsx";
import type { Session } from "./types.ts";
import { PageFrame } from "./ui/page.tsx";
import { Shell } from "./ui/shell.tsx";
import { Empty, Loading } from "./ui/states.tsx";

type Draw = (parts: readonly string[]) => ComponentChildren;

/** Patterns of paths below /console; `:` stands for any one part. The first that fits is drawn. */
const ROUTES: readonly { readonly pattern: string; readonly admin?: boolean; readonly draw: Draw }[] = [
  { pattern: "/", draw: () => <OverviewPage /> },
  { pattern: "/jobs", draw: () => <JobsPage /> },
  { pattern: "/jobs/:", draw: ([id = ""]) => <JobPage key={id} id={id} /> },
  { pattern: "/quarantine", draw: () => <IncidentsPage /> },
  { pattern: "/quarantine/readings", draw: () => <ReadingsPage /> },
  { pattern: "/quarantine/readings/:", draw: ([id = ""]) => <ReadingPage key={id} id={id} /> },
  { pattern: "/quarantine/tasks", draw: () => <TasksPage /> },
  { pattern: "/quarantine/tasks/:", draw: ([id = ""]) => <TaskPage key={id} id={id} /> },
  { pattern: "/systems", draw: () => <SystemsPage /> },
  { pattern: "/systems/:", draw: ([id = ""]) => <SystemPage key={id} id={id} /> },
  {
    pattern: "/systems/:/sensors/:",
    draw: ([system = "", id = ""]) => <SensorPage key={id} system_id={system} id={id} />,
  },
  { pattern: "/dead-letters", draw: () => <DeadLettersPage /> },
  {
    pattern: "/dead-letters/:/:",
    draw: ([partition = "", entry = ""]) => <DeadLetterPage key={entry} id={`${partition}/${entry}`} />,
  },
  { pattern: "/alerts", draw: () => <AlertsPage /> },
  { pattern: "/workers", draw: () => <WorkersPage /> },
  { pattern: "/users", admin: true, draw: () => <UsersPage /> },
  { pattern: "/audit", admin: true, draw: () => <AuditPage /> },
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
  if (current === undefined) return <Loading />;
  if (current === null) return <SignInPage />;
  if (current.user.role === "producer") return <NoAccess session={current} />;
  return (
    <Shell session={current}>
      <Routed session={current} />
    </Shell>
  );
}

function Routed({ session: { user } }: { session: Session }) {
  const { path } = usePlace();
  for (const { pattern, admin, draw } of ROUTES) {
    const parts = fit(pattern, path);
    if (parts && (!admin || user.role === "admin")) return <>{draw(parts)}</>;
  }
  return (
    <PageFrame title="Nothing here">
      <Empty title="No page has this address">
        <a href={to("/")}>To the overview</a>
      </Empty>
    </PageFrame>
  );
}

const NoAccess = ({ session: current }: { session: Session }) => (
  <Shell session={current}>
    <PageFrame title="Not for this role">
      <Empty title="The console is for admins, engineers and reviewers">
        You are signed in as {current.user.username}, a producer.
      </Empty>
    </PageFrame>
  </Shell>
);
