/** `g` and a letter lead to a page, as in other tools; `/` leads into the first field of the filters, `?` tells of all. */
import { useLayoutEffect } from "preact/hooks";
import { navigate, to } from "../lib/router.ts";
import { isForKeys } from "../lib/typing.ts";
import { type GoKey, showKeys } from "./keys-help.tsx";

/** So long after `g` the letter counts. */
const WAIT_MS = 1_500;

/** @param keys of the pages that the visitor may see */
export function useGoKeys(keys: readonly GoKey[]): void {
  // At once with what is shown: the key may come right after it
  useLayoutEffect(() => {
    let begun_ms = Number.NEGATIVE_INFINITY;
    const listen = (event: KeyboardEvent) => {
      if (!isForKeys(event)) return;
      const isSecond = event.timeStamp - begun_ms < WAIT_MS;
      begun_ms = event.key === "g" && !isSecond ? event.timeStamp : Number.NEGATIVE_INFINITY;
      const page = isSecond ? keys.find(({ key }) => key === event.key) : undefined;
      if (page) {
        // Before the keys of a list, which may have the same letter
        event.preventDefault();
        event.stopImmediatePropagation();
        navigate(to(page.path));
      }
      if (event.key === "?") showKeys();
      if (event.key === "/" && focusFilter()) event.preventDefault();
    };
    addEventListener("keydown", listen, { capture: true });
    return () => removeEventListener("keydown", listen, { capture: true });
  }, [keys]);
}

function focusFilter(): boolean {
  const field = [...document.querySelectorAll<HTMLElement>("search input, search select")].find(
    (one) => one.offsetParent !== null && !one.matches("[type=checkbox]"),
  );
  field?.focus();
  return field !== undefined;
}
