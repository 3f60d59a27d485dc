/** Labelled fields of forms and filters. */
import type { ComponentChildren } from "preact";
import { useEffect, useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import { useArrival } from "../lib/router.ts";

/** What a field may hold, and what that means. */
export type Choice = readonly [value: string, text: string];

interface TextFieldProps {
  readonly label: string;
  readonly value: string;
  readonly onValue: (value: string) => void;
  readonly type?: "text" | "password";
  readonly numeric?: boolean;
  readonly hint?: string;
  readonly required?: boolean;
  readonly autocomplete?: string;
  readonly name?: string;
  /** Has the focus when its dialog opens. */
  readonly first?: boolean;
  /** Offered while typing; anything else may be typed too. */
  readonly choices?: readonly Choice[];
}

export function TextField(props: TextFieldProps) {
  const { label, value, onValue, type = "text", numeric, hint, required, name, first, choices } = props;
  const id = useId();
  const input = {
    id,
    name,
    value,
    required,
    "data-first": first ? "" : undefined,
    list: choices ? `${id}-choices` : undefined,
    autocomplete: props.autocomplete ?? "off",
    inputMode: numeric ? "decimal" : undefined,
    "aria-describedby": hint ? `${id}-hint` : undefined,
    onInput: (event: { readonly currentTarget: HTMLInputElement }) => onValue(event.currentTarget.value),
  } as const;
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {type === "password" ? <input type="password" {...input} /> : <input type="text" {...input} />}
      {hint ? (
        <span id={`${id}-hint`} class="hint">
          {hint}
        </span>
      ) : null}
      {choices ? <Offered id={`${id}-choices`} choices={choices} /> : null}
    </div>
  );
}

interface TextAreaProps {
  readonly label: string;
  readonly value: string;
  readonly onValue: (value: string) => void;
  readonly rows: number;
  readonly hint?: string;
}

/** Several lines, written in a face where columns stand below each other. */
export function TextArea({ label, value, onValue, rows, hint }: TextAreaProps) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <textarea
        id={id}
        class="mono"
        rows={rows}
        value={value}
        spellcheck={false}
        aria-describedby={hint ? `${id}-hint` : undefined}
        onInput={(event) => onValue(event.currentTarget.value)}
      />
      {hint ? (
        <span id={`${id}-hint`} class="hint mono">
          {hint}
        </span>
      ) : null}
    </div>
  );
}

const Offered = ({ id, choices }: { id: string; choices: readonly Choice[] }) => (
  <datalist id={id}>
    {choices.map(([choice, text]) => (
      <option key={choice} value={choice}>
        {text}
      </option>
    ))}
  </datalist>
);

interface ChoiceFieldProps {
  readonly label: string;
  readonly value: string;
  readonly choices: readonly Choice[];
  readonly onValue: (value: string) => void;
}

export function ChoiceField({ label, value, choices, onValue }: ChoiceFieldProps) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select id={id} value={value} onChange={(event) => onValue(event.currentTarget.value)}>
        {choices.map(([choice, text]) => (
          <option key={choice} value={choice}>
            {text}
          </option>
        ))}
      </select>
    </div>
  );
}

interface SearchProps {
  readonly label: string;
  /** Shorter texts, but the empty one, are not handed on. */
  readonly shortest?: number;
  readonly value: string;
  readonly onValue: (value: string) => void;
}

/** Text that is handed on when typing pauses. */
export function Search({ label, value, shortest = 0, onValue }: SearchProps) {
  const [text, setText] = useState(value);
  const handed = useRef(value);
  const arrival = useArrival();
  const arrived = useRef(arrival);
  // What was handed on comes back while typing goes on; only what others set is taken over.
  useLayoutEffect(() => {
    if (value !== handed.current || arrival !== arrived.current) setText(value);
    handed.current = value;
    arrived.current = arrival;
  }, [value, arrival]);
  // Only what is typed starts the wait
  useEffect(() => {
    const given = text.trim();
    if (given === value || (given !== "" && given.length < shortest)) return;
    const timer = setTimeout(() => {
      handed.current = given;
      onValue(given);
    }, 300);
    return () => clearTimeout(timer);
  }, [text]);
  const tooShort = text.trim() !== "" && text.trim().length < shortest;
  return (
    <TextField
      label={label}
      value={text}
      onValue={setText}
      {...(tooShort ? { hint: `At least ${shortest} characters` } : {})}
    />
  );
}

export const Filters = ({ label, children }: { label: string; children: ComponentChildren }) => (
  <search class="filters" aria-label={label}>
    {children}
  </search>
);
