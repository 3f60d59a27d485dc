/** The limits of a sensor: what holds, and a new range whose effect on the past is shown before it is set. */

import { useEffect, useState } from "preact/hooks";
import type { RangePreview, RangeState, Sensor } from "../../../../contract/registry.ts";
import { useMayEditRanges } from "../../lib/access.ts";
import { type Answer, call, get } from "../../lib/api.ts";
import { count, number, percent, quantity, unitText } from "../../lib/format.ts";
import { useAction } from "../../lib/resource.ts";
import { queryText } from "../../lib/router.ts";
import { Moment, TextField } from "../../ui/field.tsx";
import { notify } from "../../ui/notices.tsx";
import { Facts, Panel } from "../../ui/page.tsx";
import { Loading, ProblemBox } from "../../ui/states.tsx";
import { Time } from "../../ui/time.tsx";

export function RangePanel({ sensor, onChanged }: { sensor: Sensor; onChanged: () => void }) {
  const path = `/api/v1/systems/${sensor.system_id}/sensors/${sensor.id}/range`;
  const [state, setState] = useState<Answer<RangeState> | null>(null);
  const { problem, run } = useAction();
  const mayEdit = useMayEditRanges();
  const load = () => run(async () => setState(await call<RangeState>(path)));
  // Another sensor is another page
  useEffect(() => void load(), [path]);
  return (
    <Panel title="Range">
      {problem ? <ProblemBox problem={problem} retry={load} /> : null}
      {state ? <InForce state={state.data} /> : problem ? null : <Loading />}
      {state && mayEdit ? (
        <RangeEditor
          key={state.headers.get("ETag")}
          path={path}
          state={state}
          onSaved={() => {
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

interface RangeEditorProps {
  readonly path: string;
  readonly state: Answer<RangeState>;
  readonly onSaved: () => void;
}

/** The way of a new range: typed, previewed, set. */
function useNewRange({ path, state: { data, headers }, onSaved }: RangeEditorProps) {
  const [limits, setLimits] = useState({ min: text(data.in_force.min), max: text(data.in_force.max) });
  const [validFrom, setValidFrom] = useState<string | null>(null);
  const [preview, setPreview] = useState<RangePreview | null>(null);
  const action = useAction();
  const etag = headers.get("ETag");
  const type = (change: Partial<typeof limits>) => {
    setLimits((old) => ({ ...old, ...change }));
    setPreview(null);
  };
  const query = queryText({ min: plain(limits.min), max: plain(limits.max) });
  const look = () => action.run(async () => setPreview(await get<RangePreview>(`${path}/preview?${query}`)));
  const save = (range: { min?: number; max?: number }, done: string) =>
    action.run(async () => {
      const body = { ...range, ...(validFrom ? { valid_from: validFrom } : {}) };
      await call(path, { method: "PUT", body, ...(etag ? { headers: { "If-Match": etag } } : {}) });
      notify(done);
      onSaved();
    });
  return { limits, type, validFrom, setValidFrom, preview, look, save, ...action };
}

function RangeEditor(props: RangeEditorProps) {
  const { limits, type, validFrom, setValidFrom, preview, look, save, busy, problem } = useNewRange(props);
  const { data } = props.state;
  const unit = unitText(data.unit);
  const next = (event: Event) => {
    event.preventDefault();
    void (preview ? save({ min: preview.min, max: preview.max }, "The new range is set.") : look());
  };
  return (
    <form class="stacked" onSubmit={next}>
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
      <Moment label="Holds from; empty: now" value={validFrom} onValue={setValidFrom} />
      {problem ? <ProblemBox problem={problem} /> : null}
      {preview ? <PreviewText preview={preview} unit={data.unit} /> : null}
      <RangeButtons
        busy={busy}
        previewed={preview !== null}
        own={data.in_force.source === "sensor"}
        onLook={() => void look()}
        onBack={() => void save({}, "The range of the unit holds again.")}
      />
    </form>
  );
}

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
  <div class="form-row">
    <button
      type={previewed ? "button" : "submit"}
      class={`button ${previewed ? "" : "primary"}`}
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

const text = (limit: number | null) => String(limit ?? "");
/** A decimal comma is read like a point; the API says what is wrong with the rest. */
const plain = (text: string) => text.trim().replace(",", ".");

const PreviewText = ({ preview, unit }: { preview: RangePreview; unit: string }) => (
  <div class={`note${preview.refused > 0 ? " note-warn" : ""}`} role="status">
    <p>
      <strong>
        {count(preview.refused)} of {count(preview.readings)} stored readings
      </strong>{" "}
      would have been refused
      {preview.readings > 0 ? ` (${percent(preview.refused / preview.readings)})` : ""}:{" "}
      {count(preview.below)} below, {count(preview.above)} above.
    </p>
    <p class="small">
      They lie between {number(preview.lowest)} and {quantity(preview.highest, unit)}; from{" "}
      <Time at={preview.from} /> to <Time at={preview.to} />.
    </p>
  </div>
);
