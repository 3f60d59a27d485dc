/** Says that somebody sees to an alert, so that nobody else need ask. */
import { useState } from "preact/hooks";
import type { AlertView } from "../../../contract/alert.ts";
import { post } from "../lib/api.ts";
import { TextField } from "../ui/field.tsx";
import { FormDialog } from "../ui/form-dialog.tsx";
import { notify } from "../ui/notices.tsx";

interface AcknowledgeDialogProps {
  readonly alert: AlertView;
  readonly onDone: () => void;
  readonly onClose: () => void;
}

export function AcknowledgeDialog({ alert, onDone, onClose }: AcknowledgeDialogProps) {
  const [note, setNote] = useState(alert.acknowledged_note ?? "");
  const work = async () => {
    await post(`/api/v1/alerts/${alert.id}/acknowledge`, note.trim() ? { note: note.trim() } : {});
    notify("Others see that you look into it.");
    onDone();
    onClose();
  };
  return (
    <FormDialog
      title={`Alert of ${alert.system_name ?? alert.system_id}`}
      verb="I look into it"
      ready
      work={work}
      onClose={onClose}
    >
      <p class="muted">
        Your name and the note are shown beside the alert. It is resolved by itself when the share is back.
      </p>
      <TextField
        label="Note"
        value={note}
        onValue={setNote}
        first
        hint="What is known, or what is done about it."
      />
    </FormDialog>
  );
}
