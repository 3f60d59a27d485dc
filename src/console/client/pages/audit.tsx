/** Everything that people did, newest first; nothing in it can be changed. */
import type { AuditEntry, SubjectType } from "../../../contract/oversight.ts";
import { shortId, words } from "../lib/format.ts";
import { useList } from "../lib/list.ts";
import { queryText, to, useFilters } from "../lib/router.ts";
import { Exports } from "../ui/exports.tsx";
import { ChoiceField, Filters, Search } from "../ui/field.tsx";
import { ListView } from "../ui/list.tsx";
import { MomentFilter } from "../ui/moment.tsx";
import { PageFrame } from "../ui/page.tsx";
import { Table } from "../ui/table.tsx";
import { Time } from "../ui/time.tsx";
import { BeforeAfter } from "./before-after.tsx";

/** Where the page of a subject is, if it has one. */
const PAGES: Readonly<Record<SubjectType, string | null>> = {
  reading: "/quarantine/readings/",
  task: "/quarantine/tasks/",
  dead_letter: "/dead-letters/",
  job: "/jobs/",
  alert: null,
  alert_limit: "/systems/",
  user: null,
  key: null,
  mapping: null,
  webhook: "/webhooks/",
  range: null,
};

export function AuditPage() {
  const [query] = useFilters();
  const filters = Object.fromEntries(
    ["actor", "action", "subject_type", "subject_id", "from", "to"].map((name) => [name, query.get(name)]),
  );
  const list = useList<AuditEntry>(`/api/v1/audit?${queryText(filters)}`);
  return (
    <PageFrame title="Audit" side={<Exports of="/api/v1/audit" query={queryText(filters)} />}>
      <section class="panel" aria-label="Audit entries">
        <AuditFilters />
        <ListView
          list={list}
          empty="No entries"
          clear={query.size > 0 ? to("/audit") : null}
          emptyHint="Every action of a reviewer or admin is kept here."
        >
          {(entries) => <AuditTable entries={entries} />}
        </ListView>
      </section>
    </PageFrame>
  );
}

function AuditFilters() {
  const [query, change] = useFilters();
  return (
    <Filters label="Filters of the audit log">
      <ChoiceField
        label="Subject"
        value={query.get("subject_type") ?? ""}
        choices={[["", "All"], ...Object.keys(PAGES).map((name) => [name, words(name)] as const)]}
        onValue={(value) => change({ subject_type: value })}
      />
      <Search
        label="Subject id"
        value={query.get("subject_id") ?? ""}
        onValue={(value) => change({ subject_id: value })}
      />
      <Search
        label="Action"
        value={query.get("action") ?? ""}
        onValue={(value) => change({ action: value })}
      />
      <div class="pair">
        <MomentFilter label="From" name="from" />
        <MomentFilter label="To" name="to" />
      </div>
      {query.get("actor") ? (
        <button type="button" class="button" onClick={() => change({ actor: null })}>
          Of everybody
        </button>
      ) : null}
      {query.size > 0 ? (
        <a class="button" href={to("/audit")}>
          Clear
        </a>
      ) : null}
    </Filters>
  );
}

const AuditTable = ({ entries }: { entries: readonly AuditEntry[] }) => (
  <Table
    label="Audit entries"
    rows={entries}
    keyOf={({ id }) => id}
    columns={[
      { label: "When", cell: ({ at }) => <Time at={at} /> },
      { label: "Who", cell: ({ actor, actor_name }) => <Who actor={actor} name={actor_name} /> },
      { label: "What", cell: ({ action }) => <strong>{words(action)}</strong> },
      { label: "Subject", cell: (entry) => <Subject entry={entry} /> },
      {
        label: "Note and change",
        wide: true,
        cell: ({ note, before, after }) => (
          <div class="stack">
            {note ? <span>{note}</span> : null}
            <BeforeAfter before={before} after={after} />
          </div>
        ),
      },
    ]}
  />
);

/** Leads to everything that they did; the service itself has no account. */
const Who = ({ actor, name }: { actor: string | null; name: string }) =>
  actor ? (
    <a href={to("/audit", { actor })} title={`Everything that ${name} did`}>
      {name}
    </a>
  ) : (
    name
  );

function Subject({ entry: { subject_type, subject_id } }: { entry: AuditEntry }) {
  const page = PAGES[subject_type];
  const text = subject_id.length > 20 ? shortId(subject_id) : subject_id;
  return (
    <span class="prose" title={subject_id}>
      {words(subject_type)} {page ? <a href={to(page + subject_id)}>{text}</a> : text}
    </span>
  );
}
