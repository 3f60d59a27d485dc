/** A dialog with a form that is sent once it is complete. */
import type { ComponentChildren } from "preact";
import { useAction } from "../lib/resource.ts";
import { Dialog } from "./dialog.tsx";
import { ProblemBox } from "./states.tsx";

interface FormDialogProps {
  readonly title: string;
  readonly verb: string;
  readonly ready: boolean;
  /** What sending does; a problem is shown, and the dialog stays. */
  readonly work: () => Promise<void>;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
}

export function FormDialog({ title, verb, ready, work, onClose, children }: FormDialogProps) {
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
          <button type="submit" class="button primary" disabled={busy || !ready}>
            {busy ? "Sending…" : verb}
          </button>
        </footer>
      </form>
    </Dialog>
  );
}
