/** Decide, try without effect, apply. Applying is possible only for exactly what the last dry run tried. */

import { useState } from "preact/hooks";
import type { DryRun, NewReview, ReviewAction, ReviewTask, Selection } from "../../../../contract/review.ts";
import { post } from "../../lib/api.ts";
import { useAction } from "../../lib/resource.ts";
import { Dialog } from "../../ui/dialog.tsx";
import { ProblemBox } from "../../ui/states.tsx";
import { ActionFields } from "./action-fields.tsx";
import { emptyForm, type FormFields, requestsOf } from "./action-form.ts";
import { ConflictList } from "./conflict-list.tsx";
import { type DryRunOutcome, DryRunResult } from "./dry-run.tsx";
import { TaskProgress } from "./task-progress.tsx";

const PATH = "/api/v1/quarantine/actions";

interface ActionDialogProps {
  readonly action: ReviewAction;
  readonly targets: readonly Selection[];
  /** What the action is about, in words. */
  readonly about: string;
  readonly unit: string | null;
  readonly onClose: () => void;
  /** Something may have changed. */
  readonly onDone: () => void;
}

interface Tried {
  readonly result: DryRunOutcome;
  readonly requests: readonly NewReview[];
}

/** The way of a decision: typed, tried, applied. */
function useDecision(action: ReviewAction, targets: readonly Selection[]) {
  const [form, setForm] = useState(emptyForm(action));
  // The list behind may change while the dialog is open; the decision is about what was chosen.
  const [selections] = useState(targets);
  const [tried, setTried] = useState<Tried | null>(null);
  const [tasks, setTasks] = useState<readonly ReviewTask[]>([]);
  const { busy, problem, run } = useAction();
  const change = (changes: Partial<FormFields>) => {
    setForm((old) => ({ ...old, ...changes }));
    setTried(null);
  };
  const tryOut = () =>
    run(async () => {
      const requests = requestsOf(form, selections);
      const results = await Promise.all(
        requests.map((request) => post<DryRun>(PATH, { ...request, dry_run: true })),
      );
      setTried({ requests, result: together(results) });
    });
  const apply = ({ requests }: Tried) =>
    run(async () => {
      try {
        // One after the other: when one is refused, the rest is not sent.
        for (const request of requests) {
          const task = await post<ReviewTask>(PATH, request);
          setTasks((old) => [...old, task]);
        }
      } finally {
        setTried(null);
      }
    });
  return { form, change, tried, tasks, busy, problem, tryOut, apply };
}

export function ActionDialog({ action, targets, about, unit, onClose, onDone }: ActionDialogProps) {
  const { form, change, tried, tasks, busy, problem, tryOut, apply } = useDecision(action, targets);
  const applied = tasks.length > 0;
  const close = () => {
    onClose();
    if (applied) onDone();
  };
  const next = (event: Event) => {
    event.preventDefault();
    if (!applied) void (tried ? apply(tried) : tryOut());
  };
  return (
    <Dialog title="Act on quarantine" onClose={close}>
      <form onSubmit={next}>
        <div class="dialog-body">
          <p>
            About <strong>{about}</strong>.
          </p>
          {applied ? null : <ActionFields form={form} unit={unit} change={change} />}
          {problem ? <ProblemBox problem={problem} /> : null}
          {problem?.name_of_type === "review-conflict" ? (
            <ConflictList readings={problem.body.readings} />
          ) : null}
          {tried ? <DryRunResult result={tried.result} /> : null}
          {tasks.map((task) => (
            <TaskProgress key={task.id} task={task} />
          ))}
        </div>
        <DialogFoot busy={busy} tried={tried !== null} applied={applied} onClose={close} onTry={tryOut} />
      </form>
    </Dialog>
  );
}

interface DialogFootProps {
  readonly busy: boolean;
  readonly tried: boolean;
  readonly applied: boolean;
  readonly onClose: () => void;
  readonly onTry: () => void;
}

const DialogFoot = ({ busy, tried, applied, onClose, onTry }: DialogFootProps) => (
  <footer class="dialog-foot">
    <button type="button" class="button" onClick={onClose}>
      {applied ? "Close" : "Cancel"}
    </button>
    {applied ? null : (
      <>
        {/* Enter in a field presses the one that submits: what comes next. */}
        <button
          type={tried ? "button" : "submit"}
          class={`button ${tried ? "" : "primary"}`}
          disabled={busy}
          onClick={tried ? onTry : undefined}
        >
          {busy && !tried ? "Trying…" : "Dry run"}
        </button>
        <button
          type={tried ? "submit" : "button"}
          class={`button ${tried ? "primary" : ""}`}
          disabled={busy || !tried}
          title={tried ? undefined : "A dry run comes first"}
        >
          {busy && tried ? "Applying…" : "Apply"}
        </button>
      </>
    )}
  </footer>
);

const NOTHING: DryRunOutcome = {
  selected: 0,
  examined: 0,
  would: { store: 0, identical: 0, replace: 0, keep: 0, reject: 0, reopen: 0 },
  still_failing: {},
  not_open: 0,
  samples: [],
};

/** The dry runs of several incidents as one. */
function together(results: readonly DryRunOutcome[]): DryRunOutcome {
  return results.reduce(
    (sum, one) => ({
      selected: sum.selected + one.selected,
      examined: sum.examined + one.examined,
      would: added(sum.would, one.would),
      still_failing: added(sum.still_failing, one.still_failing),
      not_open: sum.not_open + one.not_open,
      samples: [...sum.samples, ...one.samples],
    }),
    NOTHING,
  );
}

function added<T extends Readonly<Record<string, number>>>(a: T, b: T): T {
  const names = [...new Set([...Object.keys(a), ...Object.keys(b)])];
  return Object.fromEntries(names.map((name) => [name, (a[name] ?? 0) + (b[name] ?? 0)])) as T;
}
