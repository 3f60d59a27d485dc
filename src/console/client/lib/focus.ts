/**
 * The focus stays where somebody works. Browsers drop it to the whole page when what has it is removed or disabled: Tab
 * then begins at the top, and a reader of the screen has lost the place.
 */

/** Where the focus is: the element, all that it is in, and which row of its table that is; -1: none. */
export interface Spot {
  readonly within: readonly HTMLElement[];
  readonly row: number;
}

/** @param element that has the focus */
export function spotOf(element: Element | null): Spot {
  const within: HTMLElement[] = [];
  for (let at = element; at instanceof HTMLElement && at !== document.body; at = at.parentElement)
    within.push(at);
  const row = within.find((one) => one instanceof HTMLTableRowElement);
  return { within, row: row?.sectionRowIndex ?? -1 };
}

const isUsable = (element: HTMLElement) => element.isConnected && !element.matches(":disabled");

/** What tells where one is, of what may be left. */
const PLACE = "tr, tbody, dialog, [role=status], [aria-label]";

/** The place that is left; in a list the row, else the one that took its place, else the last. */
function leftOf({ within, row }: Spot): HTMLElement | undefined {
  const left = within.find(isUsable);
  if (left === within[0]) return left;
  const near = within.find((one) => isUsable(one) && one.matches(PLACE));
  const rows = near instanceof HTMLTableSectionElement ? near.rows : [];
  return rows[Math.min(row, rows.length - 1)] ?? near ?? left;
}

/** To what had it, else to what is left of its place, which is not scrolled to. */
export function giveBack(spot: Spot): void {
  const left = leftOf(spot);
  const isSame = left === spot.within[0];
  if (left && !isSame) left.tabIndex = -1;
  left?.focus({ preventScroll: !isSame });
}

const isLost = () => document.activeElement === document.body;

/** Whether nothing within has the focus, but it or what it is in, as when the part that had it is gone. */
export const isOutside = (element: Element | null) => document.activeElement?.contains(element) ?? true;

/** From now on. What is in a dialog is seen to there. */
export function keepFocus(): void {
  let spot: Spot | null = null;
  /** Somebody clicked beside everything: nothing is to have it. */
  const letGo = () => {
    const [element] = spot?.within ?? [];
    if (element && isUsable(element) && isLost() && document.hasFocus()) spot = null;
  };
  const restore = () => {
    if (spot === null || !isLost()) return;
    const [element] = spot.within;
    // What it began is under way
    if (element?.isConnected && element.matches(":disabled")) return;
    if (!spot.within.some((one) => one.isConnected && one.matches("dialog"))) giveBack(spot);
  };
  document.addEventListener("focusin", ({ target }) => {
    spot = spotOf(target instanceof Element ? target : null);
  });
  document.addEventListener("focusout", ({ relatedTarget }) => {
    // Told before an element is removed: only then is seen whether it was
    if (relatedTarget === null) queueMicrotask(letGo);
  });
  document.addEventListener("pointerdown", () => {
    if (isLost()) spot = null;
  });
  const seen = { childList: true, subtree: true, attributes: true, attributeFilter: ["disabled"] };
  new MutationObserver(restore).observe(document.body, seen);
}
