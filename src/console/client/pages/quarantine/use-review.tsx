/** What the two lists of quarantine share: selection, cursor, keys, and the dialogs that they open. */

import { useState } from "preact/hooks";
import type { ReviewAction, Selection } from "../../../../contract/review.ts";
import { useMayReview } from "../../lib/access.ts";
import { useListKeys } from "../../lib/list-keys.ts";
import { navigate } from "../../lib/router.ts";
import { useTrail } from "../../lib/trail.ts";
import { ActionDialog } from "./action-dialog.tsx";
import { type Chosen, useChosen } from "./use-chosen.tsx";

export interface Review<T> {
  readonly chosen: Chosen<T>;
  readonly cursor: number;
  /** What an action is about: the selection, else the row of the cursor. */
  readonly targets: readonly T[];
  readonly action: ReviewAction | null;
  readonly setAction: (action: ReviewAction | null) => void;
}

/**
 * @param addressOf where the page of an item is
 * @param scope the filters that show the items; with others, selection and cursor begin anew
 */
export function useReview<T>(
  items: readonly T[],
  keyOf: (item: T) => string,
  addressOf: (item: T) => string,
  scope: string,
): Review<T> {
  const chosen = useChosen(items, keyOf, scope);
  useTrail(items.map(addressOf));
  const [action, begin] = useState<ReviewAction | null>(null);
  const mayReview = useMayReview();
  const { cursor, current, put } = useListKeys(items, keyOf, scope, chosen.add, (item) => {
    // Without anything to act on, a key must not leave a dialog that opens later.
    const ready = mayReview && (chosen.whole || chosen.items.length > 0 || item !== undefined);
    const act = (wanted: ReviewAction) => () => ready && setAction(wanted);
    return {
      ...chosen.keys(item),
      Enter: () => item !== undefined && navigate(addressOf(item)),
      a: act("approve"),
      f: act("fix"),
      r: act("reject"),
      o: act("reopen"),
    };
  });
  const targets = chosen.items.length > 0 ? chosen.items : current === undefined ? [] : [current];
  function setAction(wanted: ReviewAction | null): void {
    // Who decides with the mouse goes on where the list does, as by key
    const [first] = chosen.whole ? items : targets;
    const isAtThem = current !== undefined && chosen.has(current);
    if (wanted !== null && first !== undefined && !isAtThem) put(first);
    begin(wanted);
  }
  return { chosen, cursor, targets, action, setAction };
}

interface ReviewDialogsProps {
  readonly review: Pick<Review<unknown>, "action" | "setAction">;
  /** None: there is nothing to act on. */
  readonly selections: readonly Selection[];
  readonly about: string;
  readonly unit: string | null;
  readonly system_id: string | null;
  readonly onDone: () => void;
}

export function ReviewDialogs({ review, selections, about, unit, system_id, onDone }: ReviewDialogsProps) {
  const { action, setAction } = review;
  return action && selections.length > 0 ? (
    <ActionDialog
      action={action}
      targets={selections}
      about={about}
      unit={unit}
      system_id={system_id}
      onClose={() => setAction(null)}
      onDone={onDone}
    />
  ) : null;
}

/** The one system of all targets; null: there are several, or none. */
export function systemOf(targets: readonly { readonly system_id: string }[]): string | null {
  const ids = new Set(targets.map(({ system_id }) => system_id));
  return ids.size === 1 ? (targets[0]?.system_id ?? null) : null;
}
