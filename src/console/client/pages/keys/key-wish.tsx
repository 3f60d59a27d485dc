/** Changes a key, or asks before it is replaced or revoked; shows the secret that replaces it. */
import { useState } from "preact/hooks";
import type { KeyView } from "../../../../contract/access.ts";
import { call, post } from "../../lib/api.ts";
import { AskDialog } from "../../ui/ask.tsx";
import { notify } from "../../ui/notices.tsx";
import { SecretDialog } from "../../ui/secret.tsx";
import { ChangeKeyDialog } from "./change-key.tsx";
import { KEY_USE, type KeyMade } from "./new-key.tsx";

/** Time to give a device its new key. */
const OVERLAP_S = 86_400;

export interface KeyWish {
  readonly kind: "change" | "rotate" | "revoke";
  readonly key: KeyView;
}

interface KeyWishProps {
  readonly wish: KeyWish | null;
  readonly onEnd: () => void;
  readonly onDone: () => void;
}

export function KeyWishDialog({ wish, onEnd, onDone }: KeyWishProps) {
  const [secret, setSecret] = useState<string | null>(null);
  if (secret) {
    const close = () => setSecret(null);
    const note = "The key before goes on for 24 hours.";
    return <SecretDialog title="The new key" use={KEY_USE} secret={secret} note={note} onClose={close} />;
  }
  if (!wish) return null;
  const { kind, key } = wish;
  if (kind === "change") return <ChangeKeyDialog of={key} onClose={onEnd} onDone={onDone} />;
  const path = `/api/v1/keys/${key.id}`;
  const replace = async () => {
    setSecret((await post<KeyMade>(`${path}/rotate`, { overlap_s: OVERLAP_S })).secret);
    onDone();
  };
  const revoke = async () => {
    await call(path, { method: "DELETE" });
    notify(`${key.name} is revoked.`);
    onDone();
  };
  return kind === "rotate" ? (
    <AskDialog
      title={`Replace ${key.name}`}
      explanation="A key that may do the same is made and shown. This one goes on for 24 hours, so that the device can be given the new one."
      verb="Replace it"
      danger={false}
      work={replace}
      onClose={onEnd}
    />
  ) : (
    <AskDialog
      title={`Revoke ${key.name}`}
      explanation="Whatever uses it is refused within seconds, for good."
      verb="Revoke"
      danger
      work={revoke}
      onClose={onEnd}
    />
  );
}
