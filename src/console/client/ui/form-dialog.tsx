/** A dialog with a form that is sent once it is complete. */
import type { ComponentChildren } from "preact";
import { useAction } from "../lib/resource.ts";
import { Dialog } from "./dialog.tsx";
import { ProblemBox } from "./states.tsx";

interface FormDialogProps {
  readonly title: string;
  readonly verb: string;
  /** The verb while it is being done. */
  readonly doing?: string;
  readonly danger?: boolean;
  /** The button that sends comes first, for forms that ask for nothing. */
  readonly sendFirst?: boolean;
  readonly ready: boolean;
  /** What sending does; a problem is shown, and the dialog stays. */
  readonly work: () => Promise<void>;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
}

export function FormDialog(props: FormDialogProps) {
  const { title, verb, doing = "Sending…", danger = false, sendFirst = false } = props;
  const { ready, work, onClose, children } = props;
  const { busy, problem, run } = useAction();
  const send = (event: Event) => {
    event.preventDefault();
    void run(work);
  };
  return (
    <Dialog title={title} onClose={onClose}>
      <form onSubmit={send}>
        <div class="dialog-body">
          {children}
          {problem ? <ProblemBox problem={problem} /> : null}
        </div>
        <footer class="dialog-foot">
          <button type="button" class="button" onClick={onClose}>
            Cancel
          </button>
          <button
            type="submit"
            class={`button ${danger ? "danger" : "primary"}`}
            disabled={busy || !ready}
            data-first={sendFirst ? "" : undefined}
          >
            {busy ? doing : verb}
          </button>
        </footer>
      </form>
    </Dialog>
  );
}
