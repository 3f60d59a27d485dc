/** What an account or a key reaches and how much it may send: fields that both dialogs have. */
import { useState } from "preact/hooks";
import { shortId } from "../lib/format.ts";
import { useSystemList } from "../lib/names.ts";
import { Checks } from "./checks.tsx";
import { TextField } from "./field.tsx";

/** So many are looked through faster than searched. */
const FEW = 12;

interface SystemsFieldProps {
  /** Null: all. */
  readonly systems: readonly string[] | null;
  readonly onSystems: (systems: readonly string[] | null) => void;
  /** What reaching all means. */
  readonly all: string;
}

/** All systems, or some of those that the visitor reaches. */
export function SystemsField({ systems, onSystems, all }: SystemsFieldProps) {
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
      {systems === null ? null : <SomeSystems chosen={systems} onChosen={onSystems} />}
    </>
  );
}

interface SomeSystemsProps {
  readonly chosen: readonly string[];
  readonly onChosen: (systems: readonly string[]) => void;
}

function SomeSystems({ chosen, onChosen }: SomeSystemsProps) {
  const [text, setText] = useState("");
  const known = useSystemList();
  const unknown = chosen.filter((id) => !known.some((system) => system.id === id));
  const isShown = ({ id, name }: { id: string; name: string }) =>
    chosen.includes(id) || name.toLowerCase().includes(text.trim().toLowerCase());
  return (
    <>
      {known.length > FEW ? <TextField label="Find a system" value={text} onValue={setText} /> : null}
      <Checks
        legend="Only these"
        choices={[
          ...known.filter(isShown).map(({ id, name }) => [id, name] as const),
          ...unknown.map((id) => [id, shortId(id)] as const),
        ]}
        chosen={chosen}
        onChosen={onChosen}
        hint="What is not ticked does not exist for it."
      />
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
  otherwise,
}: {
  budgets: Budgets;
  /** What holds where a field is empty. */
  otherwise: string;
  onBudgets: (changes: Partial<Budgets>) => void;
}) => (
  <div class="form-row">
    <TextField
      label="Requests a minute"
      numeric
      value={requests}
      onValue={(value) => onBudgets({ requests: value })}
      hint={`Empty: ${otherwise}.`}
    />
    <TextField
      label="Readings a minute"
      numeric
      value={readings}
      onValue={(value) => onBudgets({ readings: value })}
      hint={`Empty: ${otherwise}.`}
    />
  </div>
);
