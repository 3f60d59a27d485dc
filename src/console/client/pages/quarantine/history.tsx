/** What was done with a reading, newest first. */
import type { AuditEntry } from "../../../../contract/oversight.ts";
import { words } from "../../lib/format.ts";
import { to } from "../../lib/router.ts";
import { Empty } from "../../ui/states.tsx";
import { Time } from "../../ui/time.tsx";
import { BeforeAfter } from "../before-after.tsx";

export function History({ entries }: { entries: readonly AuditEntry[] }) {
  if (entries.length === 0)
    return <Empty title="Nobody has decided yet">What is decided about this reading is told here.</Empty>;
  return (
    <ol class="history">
      {entries.map(({ id, at, actor_name, action, note, task_id, before, after }) => (
        <li key={id} class="stack">
          <span>
            <strong>{words(action)}</strong> by {actor_name} <span class="muted">·</span> <Time at={at} />
            {task_id ? (
              <>
                {" "}
                <a href={to(`/quarantine/tasks/${task_id}`)}>task</a>
              </>
            ) : null}
          </span>
          {note ? <span>{note}</span> : null}
          <BeforeAfter before={before} after={after} />
        </li>
      ))}
    </ol>
  );
}
