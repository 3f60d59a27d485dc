/** Says which sensor a name means: a new mapping, or another sensor or unit for one that there is. */
import { useState } from "preact/hooks";
import type { SeriesKey } from "../../../../contract/series-key.ts";
import { call } from "../../lib/api.ts";
import { useSensorChoices, useUnitChoices } from "../../lib/choices.ts";
import { keyName } from "../../lib/mapping-key.ts";
import { TextField } from "../../ui/field.tsx";
import { FormDialog } from "../../ui/form-dialog.tsx";
import { notify } from "../../ui/notices.tsx";
import { bodyOf, formOf, isReady, type MappingForm } from "./mapping-form.ts";

interface MappingDialogProps {
  readonly system_id: string;
  /** What is mapped, when that is known; null: it is typed. */
  readonly mapped: SeriesKey | null;
  /** What holds now; null: nothing. */
  readonly now?: { readonly sensor: string; readonly unit: string | null } | null;
  readonly onClose: () => void;
  readonly onDone: () => void;
}

export function MappingDialog(props: MappingDialogProps) {
  const { system_id, mapped, now = null, onClose, onDone } = props;
  const [form, setForm] = useState(() => formOf(mapped, now?.sensor, now?.unit ?? ""));
  const change = (changes: Partial<MappingForm>) => setForm((old) => ({ ...old, ...changes }));
  const work = async () => {
    const body = await bodyOf(system_id, form);
    await call(`/api/v1/systems/${system_id}/mappings`, { method: "PUT", body });
    notify("The mapping is set. Batches go by it within 5 s.");
    onClose();
    onDone();
  };
  return (
    <FormDialog
      title={now ? "Change the mapping" : "New mapping"}
      verb={now ? "Change" : "Set the mapping"}
      ready={isReady(form)}
      work={work}
      onClose={onClose}
    >
      {mapped && (now || "name" in mapped) ? (
        <p class="prose">
          What is called <strong>{keyName(mapped)}</strong> means:
        </p>
      ) : (
        <KeyFields form={form} change={change} isGiven={mapped !== null} />
      )}
      <TargetFields system_id={system_id} form={form} change={change} first={mapped !== null} />
    </FormDialog>
  );
}

interface FieldsProps {
  readonly form: MappingForm;
  readonly change: (changes: Partial<MappingForm>) => void;
}

const KINDS = [
  ["name", "A name"],
  ["field", "A field of line protocol"],
] as const;

/** @param isGiven a reading says what is mapped; with fewer tags the mapping fits others, too */
function KeyFields({ form, change, isGiven }: FieldsProps & { readonly isGiven: boolean }) {
  return (
    <>
      {isGiven ? null : (
        <fieldset class="field">
          <legend>What is mapped</legend>
          <div class="choice-row">
            {KINDS.map(([kind, text]) => (
              <label key={kind}>
                <input
                  type="radio"
                  name="kind"
                  checked={form.kind === kind}
                  onChange={() => change({ kind })}
                />
                {text}
              </label>
            ))}
          </div>
        </fieldset>
      )}
      {form.kind === "name" ? (
        <TextField
          label="Name"
          required
          first
          value={form.name}
          onValue={(name) => change({ name })}
          hint="Exactly as readings have it in sensor."
        />
      ) : (
        <LineFields form={form} change={change} />
      )}
    </>
  );
}

const LineFields = ({ form, change }: FieldsProps) => (
  <>
    <div class="form-row">
      <TextField
        label="Measurement"
        required
        value={form.measurement}
        onValue={(measurement) => change({ measurement })}
      />
      <TextField label="Field" required value={form.field} onValue={(field) => change({ field })} />
    </div>
    <TextField
      label="Tags that a line must have"
      value={form.tags}
      onValue={(tags) => change({ tags })}
      hint="line=1, host=a. A line may have more; of several mappings that fit, the one with the most tags counts."
    />
  </>
);

const TargetFields = ({
  system_id,
  form,
  change,
  first,
}: FieldsProps & { readonly system_id: string; readonly first: boolean }) => (
  <div class="form-row">
    <TextField
      label="Means the sensor"
      required
      first={first}
      choices={useSensorChoices(system_id, "name")}
      value={form.sensor}
      onValue={(sensor) => change({ sensor })}
      hint="Its name or its UUID."
    />
    <TextField
      label="Unit"
      choices={useUnitChoices()}
      value={form.unit}
      onValue={(unit) => change({ unit })}
      hint="Of values that come without one; empty: the sensor's."
    />
  </div>
);
