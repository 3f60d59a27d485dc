/** Asks before something is done that others will see in the audit log, with a note for them. */
import { useState } from "preact/hooks";
import { post } from "../lib/api.ts";
import { TextField } from "../ui/field.tsx";
import { FormDialog } from "../ui/form-dialog.tsx";
import { notify } from "../ui/notices.tsx";

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
  const work = async () => {
    await post(path, note.trim() ? { note: note.trim() } : {});
    notify(done);
    onClose();
    onDone();
  };
  const ready = !(noteRequired && note.trim() === "");
  return (
    <FormDialog title={title} verb={verb} danger={danger} ready={ready} work={work} onClose={onClose}>
      <p>{explanation}</p>
      <NoteField note={note} required={noteRequired} onNote={setNote} />
    </FormDialog>
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
