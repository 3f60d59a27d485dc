/** Asks before something is done that cannot be taken back. */
import { useAction } from "../lib/resource.ts";
import { Dialog } from "./dialog.tsx";
import { ProblemBox } from "./states.tsx";

interface AskProps {
  readonly title: string;
  readonly explanation: string;
  readonly verb: string;
  readonly danger: boolean;
  readonly work: () => Promise<void>;
  /** It is done, or not wanted. */
  readonly onClose: () => void;
}

export function AskDialog(props: AskProps) {
  const { title, explanation, verb, danger, work, onClose } = props;
  const { busy, problem, run } = useAction();
  const send = (event: Event) => {
    event.preventDefault();
    void run(async () => {
      await work();
      onClose();
    });
  };
  return (
    <Dialog title={title} onClose={onClose}>
      <form onSubmit={send}>
        <div class="dialog-body">
          <p>{explanation}</p>
          {problem ? <ProblemBox problem={problem} /> : null}
        </div>
        <footer class="dialog-foot">
          <button type="button" class="button" onClick={onClose}>
            Cancel
          </button>
          <button
            type="submit"
            class={`button ${danger ? "danger" : "primary"}`}
            disabled={busy}
            data-first=""
          >
            {verb}
          </button>
        </footer>
      </form>
    </Dialog>
  );
}
