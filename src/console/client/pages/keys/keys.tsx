/** API keys of devices and programs: one's own, and for admins all; made, replaced and revoked. */
import { useState } from "preact/hooks";
import type { KeyView } from "../../../../contract/access.ts";
import { useIsAdmin } from "../../lib/access.ts";
import { count } from "../../lib/format.ts";
import { useList } from "../../lib/list.ts";
import { queryText, useFilters } from "../../lib/router.ts";
import { Badge } from "../../ui/badge.tsx";
import { ChoiceField, Filters } from "../../ui/field.tsx";
import { ListView } from "../../ui/list.tsx";
import { PageFrame } from "../../ui/page.tsx";
import { type Column, Table } from "../../ui/table.tsx";
import { Time } from "../../ui/time.tsx";
import { type KeyWish, KeyWishDialog } from "./key-wish.tsx";
import { NewKeyDialog } from "./new-key.tsx";

const STATES = [
  ["active", "In use"],
  ["over", "Over"],
  ["any", "All"],
] as const;

export function KeysPage() {
  const [query, change] = useFilters();
  const state = query.get("state") ?? "active";
  const list = useList<KeyView>(`/api/v1/keys?${queryText({ state })}`);
  const [making, setMaking] = useState(false);
  const [wish, setWish] = useState<KeyWish | null>(null);
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
          emptyHint="A key lets a device send batches without anybody's password. New key makes one."
        >
          {(keys) => <KeyTable keys={keys} onWish={setWish} />}
        </ListView>
      </section>
      {making ? <NewKeyDialog onClose={() => setMaking(false)} onMade={list.reload} /> : null}
      <KeyWishDialog wish={wish} onEnd={() => setWish(null)} onDone={list.reload} />
    </PageFrame>
  );
}

const isOver = ({ revoked_at, expires_at }: KeyView) =>
  revoked_at !== null || (expires_at !== null && Date.parse(expires_at) <= Date.now());

function KeyState({ of }: { of: KeyView }) {
  if (of.revoked_at !== null) return <Badge>revoked</Badge>;
  return isOver(of) ? <Badge>expired</Badge> : <Badge tone="good">in use</Badge>;
}

/** With its first characters, by which it is found in programs and in the record. */
const KeyName = ({ of: { name, prefix } }: { of: KeyView }) => (
  <div class="stack">
    <strong>{name}</strong>
    <span class="mono muted">{prefix}…</span>
  </div>
);

function KeyTable({ keys, onWish }: { keys: readonly KeyView[]; onWish: (wish: KeyWish) => void }) {
  const isAdmin = useIsAdmin();
  const owner: Column<KeyView> = { label: "Owner", cell: ({ username }) => username };
  return (
    <Table
      label="API keys"
      rows={keys}
      keyOf={({ id }) => id}
      columns={[
        { label: "Key", name: true, cell: (key) => <KeyName of={key} /> },
        ...(isAdmin ? [owner] : []),
        { label: "State", cell: (key) => <KeyState of={key} /> },
        { label: "May", cell: ({ scopes }) => scopes.join(", ") },
        { label: "Systems", cell: ({ systems }) => (systems === null ? "all" : count(systems.length)) },
        { label: "Ends", cell: ({ expires_at }) => (expires_at ? <Time at={expires_at} /> : "never") },
        {
          label: "Last used",
          cell: ({ last_used_at }) => (last_used_at ? <Time at={last_used_at} relative /> : "never"),
        },
        { label: "Actions", cell: (key) => (isOver(key) ? "–" : <KeyActions of={key} onWish={onWish} />) },
      ]}
    />
  );
}

const KeyActions = ({ of: key, onWish }: { of: KeyView; onWish: (wish: KeyWish) => void }) => (
  <span class="row-actions">
    <button type="button" class="button small-button" onClick={() => onWish({ kind: "change", key })}>
      Change<span class="unseen"> {key.name}</span>
    </button>
    <button type="button" class="button small-button" onClick={() => onWish({ kind: "rotate", key })}>
      Replace<span class="unseen"> {key.name}</span>
    </button>
    <button type="button" class="button small-button" onClick={() => onWish({ kind: "revoke", key })}>
      Revoke<span class="unseen"> {key.name}</span>
    </button>
  </span>
);
