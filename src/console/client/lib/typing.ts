/** Whether a key is meant for the page: keys are on, nobody types, no dialog is open, no modifier changes its meaning. */
import { keysOn } from "./preferences.ts";

const TYPING = "input:not([type=checkbox], [type=radio]), select, textarea, [contenteditable]";

export function isForKeys(event: KeyboardEvent): boolean {
  if (!keysOn.value && event.key.length === 1) return false;
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return false;
  if (event.target instanceof Element && event.target.matches(TYPING)) return false;
  return document.querySelector("dialog[open]") === null;
}
