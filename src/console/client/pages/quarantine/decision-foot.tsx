/** What can be pressed in the dialog of a decision, by how far it is. */

interface DecisionFootProps {
  readonly busy: boolean;
  /** Decisions that were tried and not yet sent. */
  readonly unsent: number;
  readonly applied: boolean;
  readonly onClose: () => void;
  readonly onTry: () => void;
  readonly onNext: (() => void) | null;
}

export const DecisionFoot = ({ busy, unsent, applied, onClose, onTry, onNext }: DecisionFootProps) => (
  <footer class="dialog-foot">
    <button
      type="button"
      class="button"
      data-next={applied && !onNext && unsent === 0 ? "" : undefined}
      onClick={onClose}
    >
      {applied || (busy && unsent > 0) ? "Close" : "Cancel"}
    </button>
    {applied && unsent > 0 ? (
      <button type="submit" class="button primary" disabled={busy}>
        {busy ? "Applying…" : `Send the other ${unsent}`}
      </button>
    ) : null}
    {applied && unsent === 0 && onNext ? (
      <button type="button" class="button primary" data-next="" onClick={onNext}>
        Open the next
      </button>
    ) : null}
    {applied ? null : <TryOrApply busy={busy} tried={unsent > 0} onTry={onTry} />}
  </footer>
);

interface TryOrApplyProps {
  readonly busy: boolean;
  readonly tried: boolean;
  readonly onTry: () => void;
}

const TryOrApply = ({ busy, tried, onTry }: TryOrApplyProps) => (
  <>
    {/* Enter in a field presses the one that submits: what comes next. */}
    <button
      type={tried ? "button" : "submit"}
      class={`button ${tried ? "" : "primary"}`}
      disabled={busy}
      onClick={tried ? onTry : undefined}
    >
      {busy && !tried ? "Trying…" : "Dry run"}
    </button>
    <button
      type={tried ? "submit" : "button"}
      class={`button ${tried ? "primary" : ""}`}
      disabled={busy || !tried}
      title={tried ? undefined : "A dry run comes first"}
    >
      {busy && tried ? "Applying…" : "Apply"}
    </button>
  </>
);
