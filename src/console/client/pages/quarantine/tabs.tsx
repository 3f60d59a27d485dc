/** The three views of quarantine; filters go along between the two that have them. */
import { to, usePlace } from "../../lib/router.ts";

const TABS = [
  ["/quarantine", "Incidents", true],
  ["/quarantine/readings", "Readings", true],
  ["/quarantine/tasks", "Tasks", false],
] as const;

export function QuarantineTabs() {
  const { path, query } = usePlace();
  return (
    <nav class="tabs" aria-label="Views of quarantine">
      {TABS.map(([page, name, filtered]) => (
        <a
          key={page}
          href={to(page, filtered ? Object.fromEntries(query) : {})}
          aria-current={path === page ? "page" : undefined}
        >
          {name}
        </a>
      ))}
    </nav>
  );
}
