/** The limits of a sensor: what holds, and a new range whose effect on the past is shown before it is set. */
import { useEffect, useState } from "preact/hooks";
import { type Answer, call, get } from "../../lib/api.ts";
import { count, number, percent, quantity, unitText } from "../../lib/format.ts";
import { useAction } from "../../lib/resource.ts";
import { queryText } from "../../lib/router.ts";
import type { EffectiveRange, Sensor } from "../../types.ts";
import { TextField } from "../../ui/field.tsx";
import { notify } from "../../ui/notices.tsx";
import { Facts, Panel } from "../../ui/page.tsx";
import { Loading, ProblemBox } from "../../ui/states.tsx";
import { Time } from "../../ui/time.tsx";
import { useMayEditRanges } from "../may-review.ts";

interface RangeState {
  readonly unit: string;
  readonly in_force: EffectiveRange;
  readonly newest: {
    readonly version: number;
    readonly min: number | null;
    readonly max: number | null;
    readonly valid_from: string;
    readonly author_name: string | null;
  } | null;
}
interface Preview {
  readonly min: number;
  readonly max: number;
  readonly from: string;
  readonly to: string;
  readonly readings: number;
  readonly refused: number;
  readonly below: number;
  readonly above: number;
  readonly lowest: number | null;
  readonly highest: number | null;
}

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

function RangeEditor({ path, state: { data, headers }, onSaved }: RangeEditorProps) {
  const [min, setMin] = useState(String(data.in_force.min ?? ""));
  const [max, setMax] = useState(String(data.in_force.max ?? ""));
  const [preview, setPreview] = useState<Preview | null>(null);
  const { busy, problem, run } = useAction();
  const etag = headers.get("ETag");
  const typed = (set: (value: string) => void) => (value: string) => {
    set(value);
    setPreview(null);
  };
  const look = () =>
    run(async () =>
      setPreview(await get<Preview>(`${path}/preview?${queryText({ min: plain(min), max: plain(max) })}`)),
    );
  const save = (body: unknown, done: string) =>
    run(async () => {
      await call(path, { method: "PUT", body, ...(etag ? { headers: { "If-Match": etag } } : {}) });
      notify(done);
      onSaved();
    });
  const unit = unitText(data.unit);
  return (
    <form
      class="stacked"
      onSubmit={(event) => {
        event.preventDefault();
        void (preview ? save({ min: preview.min, max: preview.max }, "The new range is set.") : look());
      }}
    >
      <div class="form-row">
        <TextField
          label={`Lowest good value (${unit})`}
          value={min}
          numeric
          required
          onValue={typed(setMin)}
        />
        <TextField
          label={`Highest good value (${unit})`}
          value={max}
          numeric
          required
          onValue={typed(setMax)}
        />
      </div>
      {problem ? <ProblemBox problem={problem} /> : null}
      {preview ? <PreviewText preview={preview} unit={data.unit} /> : null}
      <div class="form-row">
        <button
          type={preview ? "button" : "submit"}
          class={`button ${preview ? "" : "primary"}`}
          disabled={busy}
          onClick={preview ? () => void look() : undefined}
        >
          Preview
        </button>
        <button
          type={preview ? "submit" : "button"}
          class={`button ${preview ? "primary" : ""}`}
          disabled={busy || !preview}
        >
          Set the range
        </button>
        {data.in_force.source === "sensor" ? (
          <button
            type="button"
            class="button"
            disabled={busy}
            onClick={() => void save({}, "The range of the unit holds again.")}
          >
            Back to the unit's range
          </button>
        ) : null}
      </div>
    </form>
  );
}

/** A decimal comma is read like a point; the API says what is wrong with the rest. */
const plain = (text: string) => text.trim().replace(",", ".");

const PreviewText = ({ preview, unit }: { preview: Preview; unit: string }) => (
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
