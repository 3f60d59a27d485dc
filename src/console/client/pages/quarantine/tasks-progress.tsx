/** Many tasks of one decision, as one: how far they are together, asked for with one request. */
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { ReviewTask } from "../../../../contract/review.ts";
import { count, countOf } from "../../lib/format.ts";
import { useResource } from "../../lib/resource.ts";
import { to } from "../../lib/router.ts";
import type { Page } from "../../types.ts";
import { StateBadge } from "../../ui/badge.tsx";
import { ProblemBox } from "../../ui/states.tsx";
import {
  type Counts,
  isOver,
  NothingLeft,
  Outcome,
  PARTS,
  REFRESH_MS,
  TaskProgress,
} from "./task-progress.tsx";

/** So many are read one by one. */
const FEW = 3;
/** As many as a page of the newest tasks has, so that all of a decision are among them while nobody else decides much. */
const NEWEST = 200;

export const TasksProgress = ({ tasks }: { tasks: readonly ReviewTask[] }): ComponentChildren =>
  tasks.length > FEW ? (
    <Together tasks={tasks} />
  ) : (
    tasks.map((task) => <TaskProgress key={task.id} task={task} />)
  );

/** Each task as it was heard of last. */
function useNewest(given: readonly ReviewTask[]) {
  const [heard, setHeard] = useState<ReadonlyMap<string, ReviewTask>>(new Map());
  const tasks = given.map((task) => heard.get(task.id) ?? task);
  const over = tasks.every(isOver);
  const path = over ? null : `/api/v1/quarantine/actions?limit=${NEWEST}`;
  const { data, error, reload } = useResource<Page<ReviewTask>>(path, over ? 0 : REFRESH_MS);
  useEffect(() => {
    if (data) setHeard((old) => new Map([...old, ...data.items.map((task) => [task.id, task] as const)]));
  }, [data]);
  return { tasks, over, error, reload };
}

function Together({ tasks: given }: { tasks: readonly ReviewTask[] }) {
  const { tasks, over, error, reload } = useNewest(given);
  const sum = (name: "selected" | "done") => tasks.reduce((total, task) => total + task[name], 0);
  const [done, selected] = [sum("done"), sum("selected")];
  const failed = tasks.filter(({ state }) => state === "failed" || state === "cancelled").length;
  return (
    <section class="stacked" aria-label="Tasks">
      <p class="unseen" role="status">
        {over ? "All tasks are over" : ""}
      </p>
      <p class="prose">
        <StateBadge state={over ? (failed > 0 ? "failed" : "completed") : "running"} />{" "}
        {countOf(tasks.filter(isOver).length, "task")} of {count(tasks.length)} done: {count(done)} of{" "}
        {count(selected)} readings · <a href={to("/quarantine/tasks")}>Tasks</a>
      </p>
      {over ? null : <progress aria-label="Progress" max={Math.max(1, selected)} value={done} />}
      <Outcome task={together(tasks)} />
      {over && selected === 0 ? <NothingLeft /> : null}
      {failed > 0 ? <p class="bad">{countOf(failed, "task")} failed or were cancelled.</p> : null}
      {error ? <ProblemBox problem={error} retry={reload} /> : null}
    </section>
  );
}

function together(tasks: readonly Counts[]): Counts {
  const sums = PARTS.map(([name]) => [name, tasks.reduce((sum, task) => sum + task[name], 0)] as const);
  const failing = tasks.reduce<Counts["failing"]>((sum, task) => added(sum, task.failing), {});
  return { ...(Object.fromEntries(sums) as Omit<Counts, "failing">), failing };
}

/** Numbers by name, added. */
export function added<T extends Readonly<Record<string, number>>>(a: T, b: T): T {
  const names = [...new Set([...Object.keys(a), ...Object.keys(b)])];
  return Object.fromEntries(names.map((name) => [name, (a[name] ?? 0) + (b[name] ?? 0)])) as T;
}
