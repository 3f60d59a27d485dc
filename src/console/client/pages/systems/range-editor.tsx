/** The limits of a sensor: what holds, and a new range whose effect on the past is shown before it is set. */

import type { RefObject } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { RangeState, SensorDetail } from "../../../../contract/registry.ts";
import { useMayEditRegistry } from "../../lib/access.ts";
import { type Answer, call, type Problem } from "../../lib/api.ts";
import { isOutside } from "../../lib/focus.ts";
import { number, quantity, unitText } from "../../lib/format.ts";
import { useAction } from "../../lib/resource.ts";
import { useFilters } from "../../lib/router.ts";
import { ChoiceField, TextField } from "../../ui/field.tsx";
import { Moment } from "../../ui/moment.tsx";
import { Facts, Panel } from "../../ui/page.tsx";
import { Loading, ProblemBox } from "../../ui/states.tsx";
import { Time } from "../../ui/time.tsx";
import { chartStretch, SPANS, type Span } from "./preview-span.ts";
import { PreviewText } from "./preview-text.tsx";
import { type RangeEditorProps, useNewRange } from "./use-new-range.ts";

export function RangePanel({ sensor, onChanged }: { sensor: SensorDetail; onChanged: () => void }) {
  const path = `/api/v1/systems/${sensor.system_id}/sensors/${sensor.id}/range`;
  const [state, setState] = useState<Answer<RangeState> | null>(null);
  /** Somebody else was faster; stays in sight beside what holds now. */
  const [raced, setRaced] = useState<Problem | null>(null);
  const { problem, run } = useAction();
  const mayEdit = useMayEditRegistry();
  /** Of the state that came first. */
  const etag = useRef<string | null>(null);
  etag.current ??= state?.headers.get("ETag") ?? null;
  const load = () => run(async () => setState(await call<RangeState>(path)));
  // Another sensor is another page
  useEffect(() => void load(), [path]);
  return (
    <Panel title="Range">
      {problem ? <ProblemBox problem={problem} retry={load} /> : null}
      {state ? <InForce state={state.data} /> : problem ? null : <Loading />}
      {raced ? <ProblemBox problem={raced} /> : null}
      {state && mayEdit ? (
        <RangeEditor
          key={state.headers.get("ETag")}
          path={path}
          state={state}
          sent={sensor}
          isNext={etag.current !== null && etag.current !== state.headers.get("ETag")}
          onRaced={(told) => {
            setRaced(told);
            void load();
          }}
          onSaved={() => {
            setRaced(null);
            void load();
            onChanged();
          }}
        />
      ) : null}
    </Panel>
  );
}

function InForce({ state: { in_force, newest, unit } }: { state: RangeState }) {
  const { min, max, source, version } = in_force;
  return (
    <Facts
      items={[
        ["In force", min === null && max === null ? "no limits" : `${number(min)} to ${quantity(max, unit)}`],
        ["Set by", source === "sensor" ? `its own range, version ${version}` : (source ?? "nobody")],
        newest && [
          "Newest version",
          <span key="newest">
            {newest.version} by {newest.author_name ?? "somebody"}, from <Time at={newest.valid_from} />
          </span>,
        ],
      ]}
    />
  );
}

function RangeEditor(props: RangeEditorProps) {
  const { limits, type, validFrom, setValidFrom, preview, look, save, busy, problem, ...range } =
    useNewRange(props);
  const { data } = props.state;
  const unit = unitText(data.unit);
  const isLooking = range.looked !== null;
  const form = useFocusKept(props.isNext, busy, isLooking);
  const next = (event: Event) => {
    event.preventDefault();
    void (preview ? save({ min: preview.min, max: preview.max }, "The new range is set.") : look());
  };
  return (
    <form ref={form} class="stacked" onSubmit={next}>
      <div class="form-row">
        <TextField
          label={`Lowest good value (${unit})`}
          value={limits.min}
          numeric
          required
          onValue={(min) => type({ min })}
        />
        <TextField
          label={`Highest good value (${unit})`}
          value={limits.max}
          numeric
          required
          onValue={(max) => type({ max })}
        />
      </div>
      <div class="form-row">
        <Moment
          label="Holds from; empty: now"
          when="future"
          empty="As soon as it is set"
          value={validFrom}
          onValue={setValidFrom}
        />
        <PreviewSpan span={range.span} onSpan={range.chooseSpan} />
      </div>
      {problem ? <ProblemBox problem={problem} /> : null}
      {preview ? <PreviewText preview={preview} unit={data.unit} /> : null}
      <Looking looked={range.looked} onStop={range.stop} />
      <RangeButtons
        busy={busy && !isLooking}
        previewed={preview !== null}
        own={data.in_force.source === "sensor"}
        onLook={() => void look()}
        onBack={() => void save({}, "The range of the unit holds again.")}
      />
    </form>
  );
}

/** The form, which takes the focus when what had it is gone. @param isNext it stands where another form was saved */
function useFocusKept(isNext: boolean, busy: boolean, isLooking: boolean): RefObject<HTMLFormElement | null> {
  const form = useRef<HTMLFormElement>(null);
  const take = (selector: string) => {
    if (isOutside(form.current)) form.current?.querySelector<HTMLElement>(selector)?.focus();
  };
  useEffect(() => {
    if (isNext) take("input");
  }, []);
  const wasLooking = useRef(false);
  useEffect(() => {
    if (isLooking) wasLooking.current = true;
    if (busy || !wasLooking.current) return;
    wasLooking.current = false;
    // Stop is gone, or Preview could not be pressed meanwhile
    take("[data-look]");
  }, [busy, isLooking]);
  return form;
}

interface LookingProps {
  /** How many pieces of a long stretch were looked at. */
  readonly looked: readonly [done: number, of: number] | null;
  readonly onStop: () => void;
}

/** A long stretch is looked at piece by piece: how far that is, and a way out of it. */
const Looking = ({ looked, onStop }: LookingProps) =>
  looked === null || looked[1] === 1 ? null : (
    <div class="note looking">
      <span role="status">
        Looking at the stored readings: part {Math.min(looked[0] + 1, looked[1])} of {looked[1]}
      </span>
      <progress aria-label="Progress of the preview" max={looked[1]} value={looked[0]} />
      <button type="button" class="button small-button" onClick={onStop}>
        Stop
      </button>
    </div>
  );

interface RangeButtonsProps {
  readonly busy: boolean;
  readonly previewed: boolean;
  /** The sensor has a range of its own. */
  readonly own: boolean;
  readonly onLook: () => void;
  readonly onBack: () => void;
}

/** The one that submits is what comes next: Enter in a field presses it. */
const RangeButtons = ({ busy, previewed, own, onLook, onBack }: RangeButtonsProps) => (
  <div class="buttons">
    <button
      type={previewed ? "button" : "submit"}
      class={`button ${previewed ? "" : "primary"}`}
      data-look=""
      disabled={busy}
      onClick={previewed ? onLook : undefined}
    >
      Preview
    </button>
    <button
      type={previewed ? "submit" : "button"}
      class={`button ${previewed ? "primary" : ""}`}
      disabled={busy || !previewed}
    >
      Set the range
    </button>
    {own ? (
      <button type="button" class="button" disabled={busy} onClick={onBack}>
        Back to the unit's range
      </button>
    ) : null}
  </div>
);

interface PreviewSpanProps {
  readonly span: Span;
  readonly onSpan: (span: Span) => void;
}

/** Which of the stored readings a preview looks at. What the chart shows is a choice once it was zoomed or moved. */
function PreviewSpan({ span, onSpan }: PreviewSpanProps) {
  const moved = chartStretch(useFilters()[0]) !== null;
  return (
    <ChoiceField
      label="Preview over"
      value={span}
      choices={SPANS.filter(([name]) => name !== "chart" || moved || span === "chart")}
      onValue={(value) => onSpan(SPANS.find(([name]) => name === value)?.[0] ?? "7")}
    />
  );
}
