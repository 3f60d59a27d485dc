/** One task: what was asked, how far it is, and the jobs that stored its readings. */
import type { ReviewTask } from "../../../../contract/review.ts";
import { correctionFacts, selectionText } from "../../lib/asked.ts";
import { words } from "../../lib/format.ts";
import { useResource } from "../../lib/resource.ts";
import { to } from "../../lib/router.ts";
import { Facts, PageFrame, Panel } from "../../ui/page.tsx";
import { Source } from "../../ui/source.tsx";
import { Shown } from "../../ui/states.tsx";
import { Time } from "../../ui/time.tsx";
import { TaskProgress } from "./task-progress.tsx";

export function TaskPage({ id }: { id: string }) {
  const task = useResource<ReviewTask>(`/api/v1/quarantine/actions/${id}`);
  return (
    <PageFrame title="Task" above={[to("/quarantine/tasks"), "Tasks"]}>
      <Shown of={task}>{(data) => <TaskBody task={data} reload={task.reload} />}</Shown>
    </PageFrame>
  );
}

const TaskBody = ({ task, reload }: { task: ReviewTask; reload: () => void }) => (
  <>
    <Panel title="Progress">
      <div class="panel-body">
        <TaskProgress task={task} onOver={reload} />
      </div>
    </Panel>
    <Panel title="What was asked">
      <Facts
        items={[
          [
            "Task",
            <code key="id" class="id">
              {task.id}
            </code>,
          ],
          ["Action", words(task.action)],
          ["Readings", selectionText(task.selection)],
          ...correctionFacts(task.change),
          ["By", task.actor_name],
          ["Asked", <Time key="created" at={task.created_at} />],
          ["Started", <Time key="started" at={task.started_at} />],
          ["Ended", <Time key="ended" at={task.completed_at} />],
          task.conflict !== null && ["On a conflict", `${task.conflict} the stored value`],
          task.note !== null && ["Note", task.note],
        ]}
      />
      <details class="panel-body">
        <summary>As it was asked</summary>
        <Source label="Selection and change">
          {JSON.stringify({ selection: task.selection, change: task.change }, null, 2)}
        </Source>
      </details>
    </Panel>
    {task.jobs.length > 0 ? (
      <Panel title="Jobs that stored its readings">
        <ul class="panel-body">
          {task.jobs.map((job_id) => (
            <li key={job_id}>
              <a class="mono" href={to(`/jobs/${job_id}`)}>
                {job_id}
              </a>
            </li>
          ))}
        </ul>
      </Panel>
    ) : null}
  </>
);
