/** A review task while it runs, and what became of it. */

import { useEffect, useState } from "preact/hooks";
import type { ReviewTask } from "../../../../contract/review.ts";
import { useMayReview } from "../../lib/access.ts";
import { call } from "../../lib/api.ts";
import { count, words } from "../../lib/format.ts";
import { useAction, useResource } from "../../lib/resource.ts";
import { to } from "../../lib/router.ts";
import { StateBadge } from "../../ui/badge.tsx";
import { ProblemBox } from "../../ui/states.tsx";

export const REFRESH_MS = 1_000;
export const isOver = ({ state }: ReviewTask) => state !== "queued" && state !== "running";

interface TaskProgressProps {
  readonly task: ReviewTask;
  /** On the page of the task itself: told when it is over. Elsewhere there is a link to that page. */
  readonly onOver?: () => void;
}

export function TaskProgress({ task: given, onOver }: TaskProgressProps) {
  const [over, setOver] = useState(isOver(given));
  const path = `/api/v1/quarantine/actions/${given.id}`;
  const { data, error, reload } = useResource<ReviewTask>(over ? null : path, over ? 0 : REFRESH_MS);
  const task = data ?? given;
  useEffect(() => {
    if (over || !isOver(task)) return;
    setOver(true);
    onOver?.();
  }, [task]);
  const { busy, problem, run } = useAction();
  const mayReview = useMayReview();
  const cancel = () =>
    run(async () => {
      await call(`${path}/cancel`, { method: "POST" });
      reload();
    });
  return (
    <section class="stacked" aria-label={`Task ${task.action}`}>
      <p class="unseen" role="status">
        {over ? "The task is over" : ""}
      </p>
      <p class="prose">
        <StateBadge state={task.state} /> {words(task.action)}: {count(task.done)} of {count(task.selected)}{" "}
        readings
        {onOver ? null : (
          <>
            {" · "}
            <a href={to(`/quarantine/tasks/${task.id}`)}>Task</a>
          </>
        )}
      </p>
      {over ? null : <progress aria-label="Progress" max={Math.max(1, task.selected)} value={task.done} />}
      <Outcome task={task} />
      {over && task.selected === 0 ? <NothingLeft /> : null}
      {task.error_message ? <p class="bad">{task.error_message}</p> : null}
      {error ? <ProblemBox problem={error} retry={reload} /> : null}
      {problem ? <ProblemBox problem={problem} /> : null}
      {over || !mayReview ? null : (
        <p>
          <button type="button" class="button" disabled={busy} onClick={() => void cancel()}>
            Cancel the task
          </button>
        </p>
      )}
    </section>
  );
}

/** Others were faster than a decision about an incident or a filter: it found nothing that it could be about. */
export const NothingLeft = () => (
  <p>There was nothing left to decide: the readings had been decided on before. Nothing was changed.</p>
);

/** What became of the readings, as it is told. */
export const PARTS = [
  ["stored", "stored"],
  ["replaced", "replaced a stored value"],
  ["identical", "were stored already"],
  ["changed", "decided"],
  ["withdrawn", "of these taken out of the stored readings"],
  ["restored", "of these gave way to the value that they had replaced"],
  ["not_open", "had been decided on by others or another task"],
] as const;

export type Counts = Pick<ReviewTask, (typeof PARTS)[number][0] | "failing">;

export const Outcome = ({ task }: { task: Counts }) => (
  <p class="outcome">
    {PARTS.filter(([name]) => task[name] > 0).map(([name, text]) => (
      <span key={name}>
        <strong>{count(task[name])}</strong> {text}
      </span>
    ))}
    {Object.entries(task.failing).map(([reason, n]) => (
      <span key={reason} class="bad">
        <strong>{count(n)}</strong> still fail: {words(reason)}
      </span>
    ))}
  </p>
);
