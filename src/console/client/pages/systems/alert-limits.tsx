/** How much of a system may be quarantined before an alert is raised: what holds, and limits of its own. */
import { useState } from "preact/hooks";
import type { AlertLimitsState, OwnAlertLimits } from "../../../../contract/alert.ts";
import { useMayEditRegistry } from "../../lib/access.ts";
import { type Answer, call, Problem } from "../../lib/api.ts";
import { FormError } from "../../lib/form-error.ts";
import { countOf, duration, percent } from "../../lib/format.ts";
import { useAction, useResource } from "../../lib/resource.ts";
import { to } from "../../lib/router.ts";
import { plainNumber } from "../../lib/typed-number.ts";
import { TextField } from "../../ui/field.tsx";
import { FormDialog } from "../../ui/form-dialog.tsx";
import { notify } from "../../ui/notices.tsx";
import { Facts, Panel } from "../../ui/page.tsx";
import { ProblemBox, Shown } from "../../ui/states.tsx";
import { timeFact } from "../../ui/time.tsx";

export function AlertLimitsPanel({ id }: { id: string }) {
  const path = `/api/v1/systems/${id}/alert-limits`;
  const limits = useResource<AlertLimitsState>(path);
  /** As it is when the dialog opens: the panel may be older. */
  const [changing, setChanging] = useState<Answer<AlertLimitsState> | null>(null);
  const { busy, problem, run } = useAction();
  const mayEdit = useMayEditRegistry();
  const open = () => run(async () => setChanging(await call<AlertLimitsState>(path)));
  return (
    <Panel
      title="Alert limits"
      side={
        <div class="chart-tools">
          <a href={to("/alerts", { state: "any", system_id: id })}>Its alerts</a>
          {mayEdit && limits.data ? (
            <button type="button" class="button small-button" disabled={busy} onClick={() => void open()}>
              Change the limits
            </button>
          ) : null}
        </div>
      }
    >
      <Shown of={limits}>{(state) => <InForce state={state} />}</Shown>
      {problem ? <ProblemBox problem={problem} /> : null}
      {changing ? (
        <LimitsDialog path={path} begin={changing} onRead={limits.reload} onClose={() => setChanging(null)} />
      ) : null}
    </Panel>
  );
}

function InForce({ state: { in_force, own, author_name, updated_at } }: { state: AlertLimitsState }) {
  const says = (limit: number | null) => (limit === null ? "" : " (its own)");
  return (
    <Facts
      items={[
        [
          "Quarantined",
          in_force.share === 1 ? "no alerts" : `above ${percent(in_force.share)}${says(own.share)}`,
        ],
        ["Batches of the last", `${duration(in_force.window_s * 1000)}${says(own.window_s)}`],
        ["At least", `${countOf(in_force.min_readings, "reading")}${says(own.min_readings)}`],
        updated_at !== null && ["Set by", author_name ?? "somebody"],
        updated_at !== null && timeFact("Set", updated_at),
      ]}
    />
  );
}

interface LimitsDialogProps {
  readonly path: string;
  readonly begin: Answer<AlertLimitsState>;
  /** They are others than the page shows. */
  readonly onRead: () => void;
  readonly onClose: () => void;
}

/** As people type them: percent and minutes. */
const HUNDRED = 100;
const MINUTE_S = 60;
/** As the service allows: a day, and more than any system sends in one. */
const MAX_WINDOW_MIN = 1_440;
const MAX_READINGS = 1_000_000_000_000;
/** Without the last digits, which no person has typed: 0.7 / 100 is 0.006999999999999999. */
const times = (limit: number, factor: number) => Number((limit * factor).toPrecision(12));
const typed = (limit: number | null, factor: number) => (limit === null ? "" : String(times(limit, factor)));

/** Sets limits only over those that were seen: of others it shows what they are now, and what was typed stays. */
function useLimits({ path, begin, onRead, onClose }: LimitsDialogProps) {
  const [seen, setSeen] = useState(begin);
  const set = async (body: OwnAlertLimits) => {
    const etag = seen.headers.get("ETag");
    try {
      await call(path, { method: "PUT", body, ...(etag ? { headers: { "If-Match": etag } } : {}) });
    } catch (error) {
      if (error instanceof Problem && error.status === 412) {
        setSeen(await call<AlertLimitsState>(path));
        onRead();
      }
      throw error;
    }
    notify("The limits are set; alerts are judged by them within seconds.");
    onRead();
    onClose();
  };
  return { now: seen === begin ? null : seen.data, set };
}

function LimitsDialog(props: LimitsDialogProps) {
  const { own } = props.begin.data;
  const { now, set } = useLimits(props);
  const [share, setShare] = useState(typed(own.share, HUNDRED));
  const [window, setWindow] = useState(typed(own.window_s, 1 / MINUTE_S));
  const [fewest, setFewest] = useState(typed(own.min_readings, 1));
  const work = async () => set(bodyOf(share, window, fewest));
  return (
    <FormDialog
      title="Limits of the system's alerts"
      verb="Set the limits"
      ready
      work={work}
      onClose={props.onClose}
    >
      {now ? <InForce state={now} /> : null}
      <p class="muted">What is left empty is the service's.</p>
      <TextField
        label="Quarantined readings (%)"
        value={share}
        onValue={setShare}
        numeric
        first
        hint="An alert is raised above it; 100: never."
      />
      <TextField
        label="Window (minutes)"
        value={window}
        onValue={setWindow}
        numeric
        hint="Batches received within it count; at most 1440."
      />
      <TextField
        label="Fewest readings"
        value={fewest}
        onValue={setFewest}
        numeric
        hint="With fewer in the window no alert is raised."
      />
    </FormDialog>
  );
}

/** What is typed, in the units of the service. @throws {FormError} */
function bodyOf(share: string, window: string, fewest: string): OwnAlertLimits {
  const percentage = limitOf(share, "The share", 0, HUNDRED);
  const minutes = limitOf(window, "The window", 1, MAX_WINDOW_MIN);
  return {
    share: percentage === null ? null : times(percentage, 1 / HUNDRED),
    window_s: minutes === null ? null : times(minutes, MINUTE_S),
    min_readings: limitOf(fewest, "The number of readings", 1, MAX_READINGS),
  };
}

/** What is typed for a limit; null when it is empty. @throws {FormError} */
function limitOf(text: string, what: string, least: number, most: number): number | null {
  const plain = plainNumber(text, what);
  if (plain === "") return null;
  const limit = Number(plain);
  if (limit >= least && limit <= most) return limit;
  throw new FormError(`${what} must be a number from ${least} to ${most}, or empty for the service's.`);
}
