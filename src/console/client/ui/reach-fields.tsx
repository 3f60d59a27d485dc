/** What an account or a key reaches and how much it may send: fields that both dialogs have. */
import { useSystemList } from "../lib/names.ts";
import { Checks } from "./checks.tsx";
import { TextField } from "./field.tsx";

interface SystemsFieldProps {
  /** Null: all. */
  readonly systems: readonly string[] | null;
  readonly onSystems: (systems: readonly string[] | null) => void;
  /** What reaching all means. */
  readonly all: string;
}

/** All systems, or some of those that the visitor reaches. */
export function SystemsField({ systems, onSystems, all }: SystemsFieldProps) {
  const known = useSystemList();
  return (
    <>
      <fieldset class="field">
        <legend>Systems</legend>
        <div class="choice-row">
          <label>
            <input type="radio" name="reach" checked={systems === null} onChange={() => onSystems(null)} />
            {all}
          </label>
          <label>
            <input
              type="radio"
              name="reach"
              checked={systems !== null}
              onChange={() => onSystems(systems ?? [])}
            />
            Only some
          </label>
        </div>
      </fieldset>
      {systems === null ? null : (
        <Checks
          legend="Only these"
          choices={known.map(({ id, name }) => [id, name])}
          chosen={systems}
          onChosen={onSystems}
          hint="What is not ticked does not exist for it."
        />
      )}
    </>
  );
}

export interface Budgets {
  readonly requests: string;
  readonly readings: string;
}

export const BudgetFields = ({
  budgets: { requests, readings },
  onBudgets,
}: {
  budgets: Budgets;
  onBudgets: (changes: Partial<Budgets>) => void;
}) => (
  <div class="field-row">
    <TextField
      label="Requests a minute"
      numeric
      value={requests}
      onValue={(value) => onBudgets({ requests: value })}
      hint="Empty: the default."
    />
    <TextField
      label="Readings a minute"
      numeric
      value={readings}
      onValue={(value) => onBudgets({ readings: value })}
      hint="Empty: the default."
    />
  </div>
);
