/** What can be done with the selection; buttons and keys open the same dialog. */

import type { ComponentChildren } from "preact";
import type { ReviewAction } from "../../../../contract/review.ts";
import { useMayReview } from "../../lib/access.ts";
import { showKeys } from "../../ui/keys-help.tsx";

const BUTTONS: readonly (readonly [action: ReviewAction, name: string, key: string | null])[] = [
  ["approve", "Approve", "a"],
  ["fix", "Fix", "f"],
  ["reject", "Reject", "r"],
  ["reopen", "Reopen", "o"],
  ["revalidate", "Revalidate", null],
];

interface ActionButtonsProps {
  readonly disabled: boolean;
  readonly onAct: (action: ReviewAction) => void;
}

export const ActionButtons = ({ disabled, onAct }: ActionButtonsProps) => (
  <>
    {BUTTONS.map(([action, name, key]) => (
      <button key={action} type="button" class="button" disabled={disabled} onClick={() => onAct(action)}>
        {name} {key ? <kbd>{key}</kbd> : null}
      </button>
    ))}
  </>
);

interface ActionBarProps extends ActionButtonsProps {
  /** What is selected, in words; null: nothing. */
  readonly selected: string | null;
  readonly children?: ComponentChildren;
}

export function ActionBar({ selected, children, ...buttons }: ActionBarProps) {
  const mayReview = useMayReview();
  return (
    <div class={`action-bar${selected === null ? "" : " some"}`}>
      <span class="chosen" role="status">
        {selected === null ? "Nothing selected" : `${selected} selected`}
        {children ? <> · {children}</> : null}
      </span>
      {mayReview ? <ActionButtons {...buttons} /> : <span class="muted">Your role may look, not act.</span>}
      <button type="button" class="button" aria-label="Keys" onClick={showKeys}>
        <kbd>?</kbd>
      </button>
    </div>
  );
}

interface SelectShownProps {
  readonly isNone: boolean;
  readonly onShown: () => void;
  readonly onNone: () => void;
}

export const SelectShown = ({ isNone, onShown, onNone }: SelectShownProps) => (
  <>
    <button type="button" class="link-button" onClick={onShown}>
      all shown
    </button>
    {isNone ? null : (
      <>
        {" · "}
        <button type="button" class="link-button" onClick={onNone}>
          none
        </button>
      </>
    )}
  </>
);
