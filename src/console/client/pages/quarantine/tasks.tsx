/** Actions on quarantine, newest first. */
import type { ReviewTask } from "../../../../contract/review.ts";
import { count, words } from "../../lib/format.ts";
import { useList } from "../../lib/list.ts";
import { queryText, to, useFilters } from "../../lib/router.ts";
import { StateBadge } from "../../ui/badge.tsx";
import { Exports } from "../../ui/exports.tsx";
import { ChoiceField, Filters } from "../../ui/field.tsx";
import { ListView } from "../../ui/list.tsx";
import { PageFrame } from "../../ui/page.tsx";
import { Table } from "../../ui/table.tsx";
import { Time } from "../../ui/time.tsx";
import { QuarantineTabs } from "./tabs.tsx";

const STATES = ["queued", "running", "completed", "failed", "cancelled"] as const;

export function TasksPage() {
  const [query, change] = useFilters();
  const state = query.get("state") ?? "";
  const list = useList<ReviewTask>(`/api/v1/quarantine/actions?${queryText({ state, limit: "50" })}`);
  return (
    <PageFrame
      title="Quarantine"
      side={<Exports of="/api/v1/quarantine/actions" query={queryText({ state })} />}
    >
      <QuarantineTabs />
      <section class="panel" aria-label="Tasks">
        <Filters label="Filters of tasks">
          <ChoiceField
            label="State"
            value={state}
            choices={[["", "All"], ...STATES.map((name) => [name, name] as const)]}
            onValue={(value) => change({ state: value })}
          />
        </Filters>
        <ListView
          list={list}
          empty="No tasks"
          emptyHint="Approve, fix or reject incidents or readings: each action is listed here."
          clear={state === "" ? null : to("/quarantine/tasks")}
        >
          {(tasks) => <TaskTable tasks={tasks} />}
        </ListView>
      </section>
    </PageFrame>
  );
}

const TaskTable = ({ tasks }: { tasks: readonly ReviewTask[] }) => (
  <Table
    label="Tasks"
    rows={tasks}
    keyOf={({ id }) => id}
    columns={[
      {
        label: "Action",
        cell: ({ id, action }) => <a href={to(`/quarantine/tasks/${id}`)}>{words(action)}</a>,
      },
      { label: "State", cell: (task) => <StateBadge state={task.state} /> },
      { label: "By", cell: ({ actor_name }) => actor_name },
      { label: "Begun", cell: ({ created_at }) => <Time at={created_at} /> },
      {
        label: "Done",
        figures: true,
        cell: ({ done, selected, not_open }) => (
          <>
            {count(done)} of {count(selected)}
            {not_open > 0 ? <div class="muted small">{count(not_open)} decided on by others</div> : null}
          </>
        ),
      },
      { label: "Stored", figures: true, cell: ({ stored }) => count(stored) },
      { label: "Note", wide: true, cell: ({ note }) => note ?? "–" },
    ]}
  />
);
