/** What the keys do. */
import { Dialog } from "../../ui/dialog.tsx";

const KEYS = [
  ["j", "Next row"],
  ["k", "Row before"],
  ["x", "Select the row, or not"],
  ["Enter", "Open the row"],
  ["a", "Approve: store as it is, though out of range"],
  ["f", "Fix: correct, judge again, store"],
  ["r", "Reject: keep, never store"],
  ["o", "Reopen: take a decision back"],
  ["Esc", "Select nothing; close a dialog"],
  ["?", "This help"],
] as const;

export const KeysHelp = ({ onClose }: { onClose: () => void }) => (
  <Dialog title="Keys" onClose={onClose}>
    <div class="dialog-body">
      <p>
        The keys a, f, r and o act on what is selected, else on the row of the cursor. Nothing is done before
        a dry run.
      </p>
      <div class="keys">
        {KEYS.map(([key, meaning]) => (
          <>
            <span key={key}>
              <kbd>{key}</kbd>
            </span>
            <span key={meaning}>{meaning}</span>
          </>
        ))}
      </div>
    </div>
  </Dialog>
);
