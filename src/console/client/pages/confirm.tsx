/** Asks before something is done that others will see in the audit log, with a note for them. */
import { useState } from "preact/hooks";
import { post } from "../lib/api.ts";
import { useAction } from "../lib/resource.ts";
import { Dialog } from "../ui/dialog.tsx";
import { TextField } from "../ui/field.tsx";
import { notify } from "../ui/notices.tsx";
import { ProblemBox } from "../ui/states.tsx";

interface ConfirmProps {
  readonly title: string;
  readonly explanation: string;
  /** Where the wish is sent to, with `{note}`. */
  readonly path: string;
  readonly verb: string;
  /** What is said when it is done. */
  readonly done: string;
  readonly noteRequired?: boolean;
  readonly danger?: boolean;
  readonly onClose: () => void;
  readonly onDone: () => void;
}

export function ConfirmDialog(props: ConfirmProps) {
  const {
    title,
    explanation,
    path,
    verb,
    done,
    noteRequired = false,
    danger = false,
    onClose,
    onDone,
  } = props;
  const [note, setNote] = useState("");
  const { busy, problem, run } = useAction();
  const send = (event: Event) => {
    event.preventDefault();
    void run(async () => {
      await post(path, note.trim() ? { note: note.trim() } : {});
      notify(done);
      onClose();
      onDone();
    });
  };
  const ready = !busy && !(noteRequired && note.trim() === "");
  return (
    <Dialog title={title} onClose={onClose}>
      <form onSubmit={send}>
        <div class="dialog-body">
          <p>{explanation}</p>
          <NoteField note={note} required={noteRequired} onNote={setNote} />
          {problem ? <ProblemBox problem={problem} /> : null}
        </div>
        <footer class="dialog-foot">
          <button type="button" class="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" class={`button ${danger ? "danger" : "primary"}`} disabled={!ready}>
            {busy ? "Sending…" : verb}
          </button>
        </footer>
      </form>
    </Dialog>
  );
}

interface NoteFieldProps {
  readonly note: string;
  readonly required: boolean;
  readonly onNote: (note: string) => void;
}

const NoteField = ({ note, required, onNote }: NoteFieldProps) => (
  <TextField
    label={required ? "Note (required)" : "Note"}
    first
    value={note}
    onValue={onNote}
    required={required}
    hint="Kept in the audit log."
  />
);
