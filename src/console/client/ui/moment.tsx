/** A field for a moment: typed as pages show it or from now (`-24h`), or chosen from what is often meant. */
import { useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import { FormError } from "../lib/form-error.ts";
import { momentText, parseMoment, zoneText } from "../lib/moment.ts";
import { zone } from "../lib/preferences.ts";
import { useArrival, useFilters } from "../lib/router.ts";
import { useShared } from "../lib/shared.ts";
import type { Zone } from "../types.ts";
import type { Choice } from "./field.tsx";

/** For filters, which look back. */
const PAST: readonly Choice[] = [
  ["now", "Now"],
  ["-1h", "1 hour ago (-1h)"],
  ["-24h", "24 hours ago (-24h)"],
  ["-7d", "7 days ago (-7d)"],
  ["-30d", "30 days ago (-30d)"],
  ["today", "Begin of today"],
  ["yesterday", "Begin of yesterday"],
];
/** For what begins or ends later. */
const FUTURE: readonly Choice[] = [
  ["now", "Now"],
  ["+1h", "In 1 hour (+1h)"],
  ["tomorrow", "Begin of tomorrow"],
  ["+7d", "In 7 days (+7d)"],
  ["+30d", "In 30 days (+30d)"],
  ["+365d", "In 365 days (+365d)"],
];
const EMPTY = "empty";

interface MomentProps {
  readonly label: string;
  /** RFC 3339. */
  readonly value: string | null;
  /** Handed on when the field is left or Enter is pressed; never what cannot be read. */
  readonly onValue: (value: string | null) => void;
  /** Which choices are offered. */
  readonly when?: "past" | "future";
  /** What an empty field means. */
  readonly empty?: string;
  /** When it changes, the field holds `value` again, whatever was typed into it. */
  readonly anew?: number;
}

interface Read {
  readonly at: string | null;
  /** Why the text is no moment, for people. */
  readonly fault: string;
}

function read(text: string, shown: Zone): Read {
  try {
    return { at: parseMoment(text, shown), fault: "" };
  } catch (error) {
    if (error instanceof FormError) return { at: null, fault: error.message };
    throw error;
  }
}

/** What is typed, while it is typed and after. What is relative becomes a moment at once. */
function useTyped({ value, onValue, anew }: MomentProps, shown: Zone) {
  const given = momentText(value, shown);
  const [text, setText] = useState(given);
  /** What cannot be read is told once the field is left, not while one types. */
  const [told, setTold] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  // Others set it, or the zone is another; at once, since who types goes on typing
  useLayoutEffect(() => {
    setText(given);
    setTold(given !== "" && read(given, shown).fault !== "");
  }, [given, anew]);
  const { at, fault } = read(text, shown);
  // A form is not sent with what cannot be read
  useLayoutEffect(() => input.current?.setCustomValidity(fault), [fault]);
  const enter = (typed: string) => {
    const found = read(typed, shown);
    setTold(found.fault !== "");
    setText(found.fault === "" ? momentText(found.at, shown) : typed);
    if (found.fault === "" && momentText(found.at, shown) !== given) onValue(found.at);
  };
  return { input, text, type: setText, enter, at, fault, isTold: told && fault !== "" };
}

/** Date and time in the visitor's zone, which the label names. */
export function Moment(props: MomentProps) {
  const { label, value, when = "past", empty = "Any time" } = props;
  const id = useId();
  const shown = useShared(zone);
  const { input, text, type, enter, at, fault, isTold } = useTyped(props, shown);
  return (
    <div class="field">
      <label for={id}>
        {label} <span class="muted">({zoneText(at ?? value, shown)})</span>
      </label>
      <div class="moment">
        <input
          ref={input}
          id={id}
          type="text"
          value={text}
          placeholder="yyyy-mm-dd hh:mm"
          autocomplete="off"
          spellcheck={false}
          aria-invalid={isTold ? "true" : undefined}
          aria-describedby={isTold ? `${id}-fault` : undefined}
          onInput={(event) => type(event.currentTarget.value)}
          onChange={(event) => enter(event.currentTarget.value)}
        />
        <Quick
          label={label}
          choices={[...(when === "past" ? PAST : FUTURE), [EMPTY, empty]]}
          onChoice={enter}
        />
      </div>
      {isTold ? (
        <span id={`${id}-fault`} class="hint bad" role="alert">
          {fault}
        </span>
      ) : null}
    </div>
  );
}

/** The filter of the address with that name. */
export function MomentFilter({ label, name }: { readonly label: string; readonly name: string }) {
  const [query, change] = useFilters();
  const anew = useArrival();
  return (
    <Moment label={label} value={query.get(name)} anew={anew} onValue={(at) => change({ [name]: at })} />
  );
}

interface QuickProps {
  readonly label: string;
  readonly choices: readonly Choice[];
  readonly onChoice: (text: string) => void;
}

/** The browser's own list of choices works by finger, by key and for readers of the screen. */
const Quick = ({ label, choices, onChoice }: QuickProps) => (
  <select
    class="quick"
    aria-label={`Choices for ${label}`}
    title="Often used times"
    value=""
    onChange={({ currentTarget }) => {
      const { value } = currentTarget;
      currentTarget.value = "";
      onChoice(value === EMPTY ? "" : value);
    }}
  >
    <option value="" hidden>
      ▾
    </option>
    {choices.map(([value, text]) => (
      <option key={value} value={value}>
        {text}
      </option>
    ))}
  </select>
);
