/** Decide, try without effect, apply. Applying is possible only for exactly what the last dry run tried. */

import { useEffect, useRef, useState } from "preact/hooks";
import type { DryRun, NewReview, ReviewAction, ReviewTask, Selection } from "../../../../contract/review.ts";
import { post } from "../../lib/api.ts";
import { useAction } from "../../lib/resource.ts";
import { Dialog } from "../../ui/dialog.tsx";
import { notify } from "../../ui/notices.tsx";
import { ProblemBox } from "../../ui/states.tsx";
import { ActionFields } from "./action-fields.tsx";
import { emptyForm, type FormFields, requestsOf } from "./action-form.ts";
import { ConflictList, conflictsOf } from "./conflict-list.tsx";
import { DecisionFoot } from "./decision-foot.tsx";
import { type DryRunOutcome, DryRunResult } from "./dry-run.tsx";
import { added, TasksProgress } from "./tasks-progress.tsx";

const PATH = "/api/v1/quarantine/actions";

interface ActionDialogProps {
  readonly action: ReviewAction;
  readonly targets: readonly Selection[];
  /** What the action is about, in words. */
  readonly about: string;
  readonly unit: string | null;
  /** System of all of them, whose sensors are offered; null: several. */
  readonly system_id: string | null;
  readonly onClose: () => void;
  /** Something may have changed. */
  readonly onDone: () => void;
  /** Opens what comes next in the list, once it is decided; null: there is nothing, or the list is in sight. */
  readonly onNext?: (() => void) | null;
}

interface Tried {
  readonly result: DryRunOutcome;
  readonly requests: readonly NewReview[];
}

/**
 * The way of a decision: typed, tried, applied.
 * @param onApplied told when all was sent, or some of it was refused
 */
function useDecision(
  action: ReviewAction,
  targets: readonly Selection[],
  onApplied: (isWhole: boolean) => void,
) {
  const [form, setForm] = useState(emptyForm(action));
  /** As it is now, also for a dry run that was sent before. */
  const typed = useRef(form);
  const [selections, setSelections] = useState(targets);
  const [tried, setTried] = useState<Tried | null>(null);
  const [tasks, setTasks] = useState<readonly ReviewTask[]>([]);
  const { busy, problem, run, clear } = useAction();
  const change = (changes: Partial<FormFields>) => {
    typed.current = { ...typed.current, ...changes };
    setForm(typed.current);
    setTried(null);
  };
  const tryOut = () =>
    run(async () => {
      const asked = typed.current;
      const requests = requestsOf(asked, selections);
      const results = await Promise.all(
        requests.map((request) => post<DryRun>(PATH, { ...request, dry_run: true })),
      );
      // What was typed while it was under way has not been tried.
      if (typed.current === asked) setTried({ requests, result: together(results) });
    });
  const apply = ({ requests, result }: Tried) =>
    run(async () => {
      let sent = 0;
      try {
        // One after the other: when one is refused, the rest is not sent.
        for (const request of requests) {
          const task = await post<ReviewTask>(PATH, request);
          sent += 1;
          setTasks((old) => [...old, task]);
        }
      } finally {
        // The rest can be sent as it was tried; one that arrived all the same finds nothing left to decide.
        const rest = requests.slice(sent);
        const isBegun = sent + tasks.length > 0;
        setTried(isBegun && rest.length > 0 ? { requests: rest, result } : null);
        onApplied(sent === requests.length);
      }
    });
  /** Goes on with the readings that nobody else has decided. */
  const leaveOut = (ids: readonly number[]) => {
    setSelections((old) => withoutIds(old, ids));
    clear();
    setTried(null);
  };
  return { form, change, selections, tried, tasks, busy, problem, tryOut, apply, leaveOut };
}

/** Selections by id without some of them; others stay as they are. */
const withoutIds = (selections: readonly Selection[], ids: readonly number[]): readonly Selection[] =>
  selections.map((one) => ("ids" in one ? { ids: one.ids.filter((id) => !ids.includes(id)) } : one));

/** Readings that are selected one by one. */
const idsIn = (selections: readonly Selection[]): number =>
  selections.reduce((sum, one) => sum + ("ids" in one ? one.ids.length : 0), 0);

/** What is told when a decision is applied after its dialog was closed: closing takes nothing back that was sent. */
function useApplied(onDone: () => void): (isWhole: boolean) => void {
  const closed = useRef(false);
  useEffect(
    () => () => {
      closed.current = true;
    },
    [],
  );
  return (isWhole) => {
    if (!closed.current) return;
    notify(
      isWhole
        ? "Applied all the same: the decision had been sent when its dialog was closed."
        : "The decision did not reach all that was selected.",
    );
    onDone();
  };
}

/** Where the list behind goes on; null: there is no list. */
const currentRow = () => document.querySelector("tr.current");

export function ActionDialog(props: ActionDialogProps) {
  const { action, targets, onClose, onDone, onNext = null } = props;
  // The list behind may change while the dialog is open; the decision is about what was chosen.
  const [{ about, unit, system_id }] = useState(props);
  const onApplied = useApplied(onDone);
  const decision = useDecision(action, targets, onApplied);
  const { form, change, selections, tried, tasks, busy, problem, tryOut, apply, leaveOut } = decision;
  const applied = tasks.length > 0;
  const conflicts = conflictsOf(problem);
  // Once others were faster, the list behind is not what it was.
  const stale = useRef(false);
  if (applied || conflicts.length > 0) stale.current = true;
  const close = () => {
    onClose();
    if (stale.current) onDone();
  };
  const next = (event: Event) => {
    event.preventDefault();
    if (tried) void apply(tried);
    else if (!applied) void tryOut();
  };
  return (
    <Dialog title="Act on quarantine" onClose={close} leadsTo={() => (stale.current ? currentRow() : null)}>
      <form onSubmit={next}>
        <div class="dialog-body">
          <p>
            About <strong>{about}</strong>.
          </p>
          {applied ? null : <ActionFields form={form} unit={unit} system_id={system_id} change={change} />}
          {problem ? <ProblemBox problem={problem} /> : null}
          {problem && applied ? (
            <p class="bad">
              Only {tasks.length} of {selections.length} decisions are known to be sent.
            </p>
          ) : null}
          <ConflictList readings={conflicts} selected={idsIn(selections)} onLeaveOut={leaveOut} />
          {/* There before what it tells: only then is that read out. Its numbers are not, as they run. */}
          <div class="stacked" aria-live="polite" aria-relevant="additions">
            {tried && !applied ? <DryRunResult result={tried.result} /> : null}
            <TasksProgress tasks={tasks} />
          </div>
        </div>
        <DecisionFoot
          busy={busy}
          unsent={tried?.requests.length ?? 0}
          applied={applied}
          onClose={close}
          onTry={tryOut}
          onNext={onNext}
        />
      </form>
    </Dialog>
  );
}

const NOTHING: DryRunOutcome = {
  selected: 0,
  examined: 0,
  would: { store: 0, identical: 0, replace: 0, keep: 0, reject: 0, reopen: 0, withdraw: 0, restore: 0 },
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
