/** Asks before something is done that cannot be taken back. */
import { FormDialog } from "./form-dialog.tsx";

interface AskProps {
  readonly title: string;
  readonly explanation: string;
  readonly verb: string;
  readonly danger: boolean;
  readonly work: () => Promise<void>;
  /** It is done, or not wanted. */
  readonly onClose: () => void;
}

export function AskDialog({ title, explanation, verb, danger, work, onClose }: AskProps) {
  const workAndClose = async () => {
    await work();
    onClose();
  };
  return (
    <FormDialog
      title={title}
      verb={verb}
      doing={verb}
      danger={danger}
      sendFirst
      ready
      work={workAndClose}
      onClose={onClose}
    >
      <p>{explanation}</p>
    </FormDialog>
  );
}
