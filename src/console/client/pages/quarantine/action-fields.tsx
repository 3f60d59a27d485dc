/** The fields of the action dialog. */
import type { ComponentProps } from "preact";
import type { ReviewAction } from "../../../../contract/review.ts";
import { useSensorChoices, useUnitChoices } from "../../lib/choices.ts";
import { unitText } from "../../lib/format.ts";
import { TextField } from "../../ui/field.tsx";
import { Moment } from "../../ui/moment.tsx";
import { type FormFields, stores } from "./action-form.ts";

const ACTIONS: readonly (readonly [ReviewAction, string, string])[] = [
  ["approve", "Approve", "Store the readings as they are, though a rule refused them."],
  ["fix", "Fix", "Correct the readings, judge them again, and store what then passes."],
  ["reject", "Reject", "Keep the readings for the record and never store them."],
  ["reopen", "Reopen", "Take the decision back: pending again, and what it stored is taken out."],
  ["revalidate", "Revalidate", "Judge the readings by today's rules and ranges, and store what passes."],
];

interface ActionFieldsProps {
  readonly form: FormFields;
  /** Unit of the readings as sent, for hints. */
  readonly unit: string | null;
  readonly system_id: string | null;
  readonly change: (changes: Partial<FormFields>) => void;
}

export function ActionFields({ form, unit, system_id, change }: ActionFieldsProps) {
  return (
    <>
      <fieldset>
        <legend class="unseen">Action</legend>
        <div class="choice-row">
          {ACTIONS.map(([action, name]) => (
            <label key={action}>
              <input
                type="radio"
                name="action"
                checked={form.action === action}
                onChange={() => change({ action })}
              />
              {name}
            </label>
          ))}
        </div>
      </fieldset>
      <p class="muted">{ACTIONS.find(([action]) => action === form.action)?.[2]}</p>
      {form.action === "fix" ? (
        <FixFields form={form} unit={unit} system_id={system_id} change={change} />
      ) : null}
      {stores(form.action) ? <ConflictFields form={form} change={change} /> : null}
      <TextField
        label="Note"
        first={form.action !== "fix"}
        value={form.note}
        onValue={(note) => change({ note })}
        hint="Kept with every reading and in the audit log."
      />
    </>
  );
}

type FixField = "value" | "unit" | "quality" | "sensor_id" | "scale" | "offset" | "shift_s";
const TEXTS: ReadonlySet<FixField> = new Set(["unit", "sensor_id"]);

function FixFields({ form, unit, system_id, change }: ActionFieldsProps) {
  const units = useUnitChoices();
  const sensors = useSensorChoices(system_id, "id");
  const field = (name: FixField, label: string, more: Partial<ComponentProps<typeof TextField>> = {}) => (
    <TextField
      label={label}
      value={form[name]}
      numeric={!TEXTS.has(name)}
      onValue={(value) => change({ [name]: value })}
      {...more}
    />
  );
  const sent = unit ? ` (${unitText(unit)})` : "";
  return (
    <div class="stacked">
      <fieldset>
        <legend class="unseen">Set for every reading</legend>
        <div class="form-row">
          {field("unit", "Relabel the unit as", { choices: units, first: true })}
          {field("value", "Set the value")}
          {field("quality", "Set the quality")}
        </div>
        <div class="form-row">
          <Moment
            label="Set the time"
            empty="As it is"
            value={form.timestamp || null}
            onValue={(at) => change({ timestamp: at ?? "" })}
          />
          {field("sensor_id", "Set the sensor", {
            choices: sensors,
            hint: "Its UUID, when a wrong one was named.",
          })}
        </div>
      </fieldset>
      <fieldset>
        <legend class="unseen">Correct every reading</legend>
        <div class="form-row">
          {field("scale", "Multiply the value by")}
          {field("offset", `Then add${sent}`)}
          {field("shift_s", "Shift the clock (s)")}
        </div>
      </fieldset>
    </div>
  );
}

const CONFLICTS = [
  ["", "Leave such readings open"],
  ["keep", "Keep the stored value"],
  ["replace", "Replace the stored value"],
] as const;

const ConflictFields = ({ form, change }: Omit<ActionFieldsProps, "unit" | "system_id">) => (
  <fieldset class="field">
    <legend>When another value is stored for the same moment</legend>
    <div class="choice-row">
      {CONFLICTS.map(([value, text]) => (
        <label key={value}>
          <input
            type="radio"
            name="conflict"
            checked={form.conflict === value}
            onChange={() => change({ conflict: value })}
          />
          {text}
        </label>
      ))}
    </div>
  </fieldset>
);
