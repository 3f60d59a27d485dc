/** API keys of devices and programs: one's own, and for admins all; made, replaced and revoked. */
import { useState } from "preact/hooks";
import type { KeyView } from "../../../../contract/access.ts";
import { useIsAdmin } from "../../lib/access.ts";
import { call, post } from "../../lib/api.ts";
import { count } from "../../lib/format.ts";
import { useList } from "../../lib/resource.ts";
import { queryText, useFilters } from "../../lib/router.ts";
import { AskDialog } from "../../ui/ask.tsx";
import { Badge } from "../../ui/badge.tsx";
import { ChoiceField, Filters } from "../../ui/field.tsx";
import { ListView } from "../../ui/list.tsx";
import { notify } from "../../ui/notices.tsx";
import { PageFrame } from "../../ui/page.tsx";
import { SecretDialog } from "../../ui/secret.tsx";
import { type Column, Table } from "../../ui/table.tsx";
import { Time } from "../../ui/time.tsx";
import { KEY_USE, type KeyMade, NewKeyDialog } from "./new-key.tsx";

const STATES = [
  ["active", "In use"],
  ["over", "Over"],
  ["any", "All"],
] as const;
/** Time to give a device its new key. */
const OVERLAP_S = 86_400;

interface Wish {
  readonly kind: "rotate" | "revoke";
  readonly key: KeyView;
}

export function KeysPage() {
  const [query, change] = useFilters();
  const state = query.get("state") ?? "active";
  const list = useList<KeyView>(`/api/v1/keys?${queryText({ state })}`);
  const [making, setMaking] = useState(false);
  const [wish, setWish] = useState<Wish | null>(null);
  return (
    <PageFrame
      title="API keys"
      side={
        <button type="button" class="button primary" onClick={() => setMaking(true)}>
          New key
        </button>
      }
    >
      <section class="panel" aria-label="API keys">
        <Filters label="Filters of keys">
          <ChoiceField
            label="State"
            value={state}
            choices={STATES}
            onValue={(value) => change({ state: value })}
          />
        </Filters>
        <ListView
          list={list}
          empty="No keys"
          emptyHint="A key lets a device send batches without anybody's password."
        >
          {(keys) => <KeyTable keys={keys} onWish={setWish} />}
        </ListView>
      </section>
      {making ? <NewKeyDialog onClose={() => setMaking(false)} onMade={list.reload} /> : null}
      {wish ? <WishDialog wish={wish} onClose={() => setWish(null)} onDone={list.reload} /> : null}
    </PageFrame>
  );
}

const isOver = ({ revoked_at, expires_at }: KeyView) =>
  revoked_at !== null || (expires_at !== null && Date.parse(expires_at) <= Date.now());

function KeyState({ of }: { of: KeyView }) {
  if (of.revoked_at !== null) return <Badge>revoked</Badge>;
  return isOver(of) ? <Badge>expired</Badge> : <Badge tone="good">in use</Badge>;
}

function KeyTable({ keys, onWish }: { keys: readonly KeyView[]; onWish: (wish: Wish) => void }) {
  const isAdmin = useIsAdmin();
  const owner: Column<KeyView> = { label: "Owner", cell: ({ username }) => username };
  return (
    <Table
      label="API keys"
      rows={keys}
      keyOf={({ id }) => id}
      columns={[
        { label: "Key", name: true, cell: ({ name }) => <strong>{name}</strong> },
        { label: "Begins", cell: ({ prefix }) => <span class="mono small">{prefix}</span> },
        ...(isAdmin ? [owner] : []),
        { label: "State", cell: (key) => <KeyState of={key} /> },
        { label: "May", cell: ({ scopes }) => scopes.join(", ") },
        { label: "Systems", cell: ({ systems }) => (systems === null ? "all" : count(systems.length)) },
        { label: "Ends", cell: ({ expires_at }) => (expires_at ? <Time at={expires_at} /> : "never") },
        {
          label: "Last used",
          cell: ({ last_used_at }) => (last_used_at ? <Time at={last_used_at} relative /> : "never"),
        },
        { label: "Do", cell: (key) => (isOver(key) ? "–" : <KeyActions of={key} onWish={onWish} />) },
      ]}
    />
  );
}

const KeyActions = ({ of: key, onWish }: { of: KeyView; onWish: (wish: Wish) => void }) => (
  <span class="row-actions">
    <button type="button" class="button small-button" onClick={() => onWish({ kind: "rotate", key })}>
      Replace<span class="unseen"> {key.name}</span>
    </button>
    <button type="button" class="button small-button" onClick={() => onWish({ kind: "revoke", key })}>
      Revoke<span class="unseen"> {key.name}</span>
    </button>
  </span>
);

interface WishDialogProps {
  readonly wish: Wish;
  readonly onClose: () => void;
  readonly onDone: () => void;
}

function WishDialog({ wish: { kind, key }, onClose, onDone }: WishDialogProps) {
  const [made, setMade] = useState<KeyMade | null>(null);
  const path = `/api/v1/keys/${key.id}`;
  if (made) {
    const note = "The key before goes on for 24 hours.";
    return (
      <SecretDialog title="The new key" use={KEY_USE} secret={made.secret} note={note} onClose={onClose} />
    );
  }
  if (kind === "rotate") {
    return (
      <AskDialog
        title={`Replace ${key.name}`}
        explanation="A key that may do the same is made and shown. This one goes on for 24 hours, so that the device can be given the new one."
        verb="Replace it"
        danger={false}
        work={async () => {
          setMade(await post<KeyMade>(`${path}/rotate`, { overlap_s: OVERLAP_S }));
          onDone();
        }}
        // The dialog with the secret takes its place.
        onClose={() => undefined}
        onCancel={onClose}
      />
    );
  }
  return (
    <AskDialog
      title={`Revoke ${key.name}`}
      explanation="Whatever uses it is refused within seconds, for good."
      verb="Revoke"
      danger
      work={async () => {
        await call(path, { method: "DELETE" });
        notify(`${key.name} is revoked.`);
        onDone();
      }}
      onClose={onClose}
    />
  );
}
