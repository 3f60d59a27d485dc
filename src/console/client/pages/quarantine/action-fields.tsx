/** The fields of the action dialog. */
import type { ReviewAction } from "../../../../contract/review.ts";
import { unitText } from "../../lib/format.ts";
import { TextField } from "../../ui/field.tsx";
import { type FormFields, stores } from "./action-form.ts";

const ACTIONS: readonly (readonly [ReviewAction, string, string])[] = [
  ["approve", "Approve", "Store the readings as they are, though a rule refused them."],
  ["fix", "Fix", "Correct the readings, judge them again, and store what then passes."],
  ["reject", "Reject", "Keep the readings for the record and never store them."],
  ["reopen", "Reopen", "Put the readings back to pending."],
  ["revalidate", "Revalidate", "Judge the readings by today's rules and ranges, and store what passes."],
];

interface ActionFieldsProps {
  readonly form: FormFields;
  /** Unit of the readings as sent, for hints. */
  readonly unit: string | null;
  readonly change: (changes: Partial<FormFields>) => void;
}

export function ActionFields({ form, unit, change }: ActionFieldsProps) {
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
      {form.action === "fix" ? <FixFields form={form} unit={unit} change={change} /> : null}
      {stores(form.action) ? <ConflictFields form={form} change={change} /> : null}
      <TextField
        label="Note"
        value={form.note}
        onValue={(note) => change({ note })}
        hint="Kept with every reading and in the audit log."
      />
    </>
  );
}

function FixFields({ form, unit, change }: ActionFieldsProps) {
  const field = (
    name: "value" | "unit" | "timestamp" | "quality" | "scale" | "offset" | "shift_s",
    label: string,
  ) => (
    <TextField
      label={label}
      value={form[name]}
      numeric={name !== "unit" && name !== "timestamp"}
      onValue={(value) => change({ [name]: value })}
    />
  );
  const sent = unit ? ` (${unitText(unit)})` : "";
  return (
    <div class="stacked">
      <fieldset>
        <legend class="unseen">Set for every reading</legend>
        <div class="form-row">
          {field("unit", "Relabel the unit as")}
          {field("value", "Set the value")}
          {field("quality", "Set the quality")}
          {field("timestamp", "Set the time (RFC 3339)")}
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

const ConflictFields = ({ form, change }: Omit<ActionFieldsProps, "unit">) => (
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
