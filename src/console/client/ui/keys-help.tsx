/** What the keys do; and that they do nothing, for those who talk to their computer. */
import { keysOn, setKeys } from "../lib/preferences.ts";
import { Shared, useShared } from "../lib/shared.ts";
import { Dialog } from "./dialog.tsx";

/** A page, and the letter that leads to it behind a `g`. */
export interface GoKey {
  readonly key: string;
  readonly path: string;
  readonly name: string;
}

type KeyText = readonly [key: string, meaning: string];

const LISTS: readonly KeyText[] = [
  ["j", "Next row, or next reading"],
  ["k", "The one before"],
  ["Enter", "Open the row, or do the first thing that it offers"],
];
const QUARANTINE: readonly KeyText[] = [
  ["x", "Select the row, or not"],
  ["Shift j, k", "Move and select; with the mouse, Shift and a click select a range"],
  ["a", "Approve: store as it is, though out of range"],
  ["f", "Fix: correct, judge again, store"],
  ["r", "Reject: keep, never store"],
  ["o", "Reopen: take a decision back"],
  ["Esc", "Select nothing; close a dialog"],
];
const CHARTS: readonly KeyText[] = [
  ["← →", "Tell the values before and after"],
  ["Home, End", "Tell the first and the last values"],
  ["Shift ← →", "Move to earlier or later"],
  ["+ −", "Zoom in and out"],
];
const EVERYWHERE: readonly KeyText[] = [
  ["/", "Into the filters"],
  ["?", "This help"],
];

const shown = new Shared(false);
export const showKeys = () => shown.set(true);

export function KeysHelp({ pages }: { pages: readonly GoKey[] }) {
  const isOn = useShared(keysOn);
  if (!useShared(shown)) return null;
  return (
    <Dialog title="Keys" onClose={() => shown.set(false)}>
      <div class="dialog-body">
        <KeyList title="In every list" keys={LISTS} />
        <KeyList title="In quarantine" keys={QUARANTINE} />
        <p class="muted small">
          a, f, r and o act on what is selected, else on the row of the cursor. Nothing is done before a dry
          run.
        </p>
        <KeyList title="On a chart that Tab has led to" keys={CHARTS} />
        <KeyList
          title="Everywhere"
          keys={[...pages.map(({ key, name }): KeyText => [`g ${key}`, name]), ...EVERYWHERE]}
        />
        <label class="facet-choice">
          <input type="checkbox" checked={isOn} onChange={(event) => setKeys(event.currentTarget.checked)} />
          Keys are on, in this browser
        </label>
      </div>
    </Dialog>
  );
}

const KeyList = ({ title, keys }: { title: string; keys: readonly KeyText[] }) => (
  <section aria-label={title}>
    <h3 class="small">{title}</h3>
    <dl class="keys">
      {keys.map(([key, meaning]) => (
        <div key={key}>
          <dt>
            <kbd>{key}</kbd>
          </dt>
          <dd>{meaning}</dd>
        </div>
      ))}
    </dl>
  </section>
);
