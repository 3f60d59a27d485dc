/** Several of some, as boxes to tick. */
import type { Choice } from "./field.tsx";

interface ChecksProps {
  readonly legend: string;
  readonly choices: readonly Choice[];
  readonly chosen: readonly string[];
  readonly onChosen: (chosen: readonly string[]) => void;
  readonly hint?: string;
}

export const Checks = ({ legend, choices, chosen, onChosen, hint }: ChecksProps) => (
  <fieldset class="field">
    <legend>{legend}</legend>
    <div class="choice-row long">
      {choices.map(([value, text]) => (
        <label key={value}>
          <input
            type="checkbox"
            checked={chosen.includes(value)}
            onChange={() =>
              onChosen(
                chosen.includes(value) ? chosen.filter((other) => other !== value) : [...chosen, value],
              )
            }
          />
          {text}
        </label>
      ))}
    </div>
    {hint ? <span class="hint">{hint}</span> : null}
  </fieldset>
);
