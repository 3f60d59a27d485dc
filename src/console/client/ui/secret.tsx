/** A secret that is shown once, to be copied. */
import { useState } from "preact/hooks";
import { Dialog } from "./dialog.tsx";

function SecretText({ secret }: { secret: string }) {
  const [copied, setCopied] = useState(false);
  // Browsers offer it to pages over https and on this machine only.
  const clipboard = navigator.clipboard as Clipboard | undefined;
  const copy = () => void clipboard?.writeText(secret).then(() => setCopied(true));
  return (
    <div class="secret">
      <code>{secret}</code>
      {clipboard ? (
        <button type="button" class="button small-button" onClick={copy}>
          {copied ? "Copied" : "Copy"}
        </button>
      ) : null}
    </div>
  );
}

export const SecretDialog = ({
  title,
  use,
  secret,
  note,
  onClose,
}: {
  title: string;
  /** What it is for. */
  use: string;
  secret: string;
  note?: string;
  onClose: () => void;
}) => (
  <Dialog title={title} onClose={onClose}>
    <div class="dialog-body">
      <p>
        {use} It is shown <strong>only now</strong>.
      </p>
      <SecretText secret={secret} />
      {note ? <p class="muted">{note}</p> : null}
    </div>
    <footer class="dialog-foot">
      <button type="button" class="button primary" data-first="" onClick={onClose}>
        Done
      </button>
    </footer>
  </Dialog>
);
