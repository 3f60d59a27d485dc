/**
 * A modal dialog: the browser keeps the focus inside, Escape closes it if it can be closed, and the focus returns. When
 * what had the focus is gone or cannot be pressed any more, what comes next has it: `data-next`, else the main button.
 */
import type { ComponentChildren } from "preact";
import { useId, useLayoutEffect, useRef } from "preact/hooks";
import { giveBack, spotOf } from "../lib/focus.ts";

interface DialogProps {
  readonly title: string;
  /** Without it the dialog stays until what it asks for is done. */
  readonly onClose?: () => void;
  /** What has the focus afterwards in place of what had it before; null: that. */
  readonly leadsTo?: () => Element | null;
  readonly children: ComponentChildren;
}

const NEXT = "[data-next], .primary:enabled, .danger:enabled";

export function Dialog({ title, onClose, leadsTo, children }: DialogProps) {
  const element = useRef<HTMLDialogElement>(null);
  const leads = useRef(leadsTo);
  leads.current = leadsTo;
  const title_id = useId();
  // At once with what is shown, here and below: the key that comes next is meant for the dialog, not for the page behind
  useLayoutEffect(() => {
    const before = spotOf(document.activeElement);
    const dialog = element.current;
    dialog?.showModal();
    dialog?.querySelector<HTMLElement>("[data-first]")?.focus();
    return () => {
      dialog?.close();
      const next = leads.current?.() ?? null;
      giveBack(next === null ? before : spotOf(next));
    };
  }, []);
  // Each time something changes: a button that was pressed may be disabled since, and the browser leaves it the focus
  // for a while
  useLayoutEffect(() => {
    const dialog = element.current;
    const { activeElement } = document;
    if (!dialog?.open) return;
    if (activeElement !== dialog && dialog.contains(activeElement) && !activeElement?.matches(":disabled"))
      return;
    (dialog.querySelector<HTMLElement>(NEXT) ?? dialog).focus();
  });
  return (
    <dialog
      ref={element}
      class={`dialog${onClose ? "" : " staying"}`}
      tabIndex={-1}
      aria-labelledby={title_id}
      onCancel={(event) => {
        event.preventDefault();
        onClose?.();
      }}
      closedby={onClose ? undefined : "none"}
      // Browsers that do not know closedby give Escape its way at the second time
      onClose={({ currentTarget }) => currentTarget.isConnected && currentTarget.showModal()}
    >
      <header class="dialog-head">
        <h2 id={title_id}>{title}</h2>
        {onClose ? (
          <button type="button" class="icon-button" aria-label="Close" onClick={onClose}>
            ✕
          </button>
        ) : null}
      </header>
      {children}
    </dialog>
  );
}
