/** Short notices about what was done; read out by screen readers, gone by themselves. */
import { Shared, useShared } from "../lib/shared.ts";

interface Notice {
  readonly id: number;
  readonly text: string;
}

const SHOWN_MS = 6_000;
const notices = new Shared<readonly Notice[]>([]);
let made = 0;

export function notify(text: string): void {
  const id = ++made;
  notices.set([...notices.value, { id, text }]);
  setTimeout(() => notices.set(notices.value.filter((notice) => notice.id !== id)), SHOWN_MS);
}

export function Notices() {
  const shown = useShared(notices);
  return (
    <div class="notices" role="status" aria-live="polite">
      {shown.map(({ id, text }) => (
        <p key={id} class="notice">
          {text}
        </p>
      ))}
    </div>
  );
}
