/** The three views of quarantine; the filters that mean the same in both lists go along between them. */
import { to, usePlace } from "../../lib/router.ts";
import { apiQuery, OF_TIME, ONLY_OF_READINGS } from "./filters.ts";

const TABS = [
  ["/quarantine", "Incidents"],
  ["/quarantine/readings", "Readings"],
  ["/quarantine/tasks", "Tasks"],
] as const;

export function QuarantineTabs() {
  const { path, query } = usePlace();
  const shared = path === "/quarantine/tasks" ? "" : apiQuery(query, [...ONLY_OF_READINGS, ...OF_TIME]);
  return (
    <nav class="tabs" aria-label="Views of quarantine">
      {TABS.map(([page, name]) => (
        <a
          key={page}
          href={page === "/quarantine/tasks" || !shared ? to(page) : `${to(page)}?${shared}`}
          aria-current={path === page ? "page" : undefined}
        >
          {name}
        </a>
      ))}
    </nav>
  );
}
