/** Takes mappings from a table: read, shown what would change, then set one after the other. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { MappingView } from "../../../../contract/mapping.ts";
import type { Sensor, UnitList } from "../../../../contract/registry.ts";
import { call, get, Problem } from "../../lib/api.ts";
import { count, countOf } from "../../lib/format.ts";
import { getAll } from "../../lib/pages.ts";
import { useAction } from "../../lib/resource.ts";
import { Badge, type Tone } from "../../ui/badge.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { TextArea } from "../../ui/field.tsx";
import { notify } from "../../ui/notices.tsx";
import { ProblemBox } from "../../ui/states.tsx";
import { Table } from "../../ui/table.tsx";
import { COLUMNS, type Planned, planOf } from "./import-plan.ts";

const MOST_SHOWN = 50;
const TONES: Readonly<Record<Planned["becomes"], Tone>> = {
  new: "good",
  changed: "warn",
  same: "plain",
  wrong: "bad",
};

interface ImportDialogProps {
  readonly system_id: string;
  readonly onClose: () => void;
  readonly onDone: () => void;
}

/** The way of an import: text, plan, sent. */
function useImport({ system_id, onClose, onDone }: ImportDialogProps) {
  const path = `/api/v1/systems/${system_id}`;
  const [text, setText] = useState("");
  const [plan, setPlan] = useState<readonly Planned[] | null>(null);
  const [done, setDone] = useState(0);
  const { busy, problem, run, clear } = useAction();
  const isOpen = useRef(true);
  useEffect(
    () => () => {
      isOpen.current = false;
    },
    [],
  );
  const type = (typed: string) => {
    setText(typed);
    setPlan(null);
    clear();
  };
  const look = () =>
    run(async () => {
      const sensors = await getAll<Sensor>(`${path}/sensors?limit=1000`);
      const mappings = await getAll<MappingView>(`${path}/mappings?limit=1000`);
      const units = await get<UnitList>("/api/v1/units");
      setPlan(planOf(text, { sensors, mappings, units }));
    });
  const send = (wanted: readonly Planned[]) =>
    run(async () => {
      let sent = 0;
      setDone(0);
      try {
        for (const one of wanted) {
          if (!isOpen.current) return;
          await set(`${path}/mappings`, one);
          setDone(++sent);
        }
      } catch (error) {
        // What was set by then is the same at the next look.
        setPlan(null);
        throw error;
      } finally {
        if (sent > 0) onDone();
      }
      notify(`${countOf(sent, "mapping")} set.`);
      onClose();
    });
  return { text, type, plan, done, busy, problem, look, send };
}

/** @throws {Problem} which names the line */
async function set(path: string, { line, body }: Planned): Promise<void> {
  try {
    await call(path, { method: "PUT", body });
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    const { status, title, detail, request_id, body: told } = error;
    throw new Problem(status, `Line ${line}: ${title}`, detail, request_id, told);
  }
}

export function ImportDialog(props: ImportDialogProps) {
  const { text, type, plan, done, busy, problem, look, send } = useImport(props);
  const wanted = (plan ?? []).filter(({ body }) => body !== null);
  const wrong = (plan ?? []).some(({ becomes }) => becomes === "wrong");
  const ready = plan === null ? text.trim() !== "" : wanted.length > 0 && !wrong;
  const all = countOf(wanted.length, "mapping");
  const next = (event: Event) => {
    event.preventDefault();
    void (plan === null ? look() : send(wanted));
  };
  return (
    <Dialog title="Import mappings" onClose={props.onClose}>
      <form onSubmit={next}>
        <div class="dialog-body">
          <TableFields text={text} onText={type} />
          {problem ? <ProblemBox problem={problem} /> : null}
          {plan ? <Plan plan={plan} /> : null}
          {busy && plan ? <progress aria-label="Progress" max={wanted.length} value={done} /> : null}
        </div>
        <footer class="dialog-foot">
          <button type="button" class="button" onClick={props.onClose}>
            {busy && plan ? "Stop" : "Cancel"}
          </button>
          <button type="submit" class="button primary" disabled={busy || !ready}>
            {plan === null ? "Look at it" : busy ? `${count(done)} of ${all}…` : `Set ${all}`}
          </button>
        </footer>
      </form>
    </Dialog>
  );
}

function TableFields({ text, onText }: { text: string; onText: (text: string) => void }) {
  const read = async (files: FileList | null) => {
    const file = files?.[0];
    if (file) onText(await file.text());
  };
  return (
    <>
      <p class="prose">
        A table with the columns <code>name</code>, or <code>measurement</code>, <code>field</code> and{" "}
        <code>tags</code>; and <code>sensor</code> and <code>unit</code>. Commas, semicolons or tabs between
        cells.
      </p>
      <label class="field">
        <span>From a file</span>
        <input
          type="file"
          accept=".csv,.tsv,.txt,text/csv"
          data-first=""
          onChange={(event) => void read(event.currentTarget.files)}
        />
      </label>
      <TextArea label="Or paste it here" value={text} onValue={onText} rows={6} hint={COLUMNS.join(",")} />
    </>
  );
}

/** What is wrong comes first, then what changes. */
const ORDER: readonly Planned["becomes"][] = ["wrong", "changed", "new", "same"];

function Plan({ plan }: { plan: readonly Planned[] }) {
  const sorted = ORDER.flatMap((kind) => plan.filter(({ becomes }) => becomes === kind));
  const parts = ORDER.map((kind) => [kind, plan.filter(({ becomes }) => becomes === kind).length] as const);
  return (
    <section class="stacked" aria-label="What the import would do" aria-live="polite">
      <p class="outcome">
        {plan.length === 0 ? "There is no line below the header." : null}
        {parts.map(([kind, n]) =>
          n > 0 ? (
            <span key={kind} class={kind === "wrong" ? "bad" : undefined}>
              <strong>{count(n)}</strong> {kind}
            </span>
          ) : null,
        )}
      </p>
      {plan.length > 0 ? (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
        <section class="samples" aria-label="Line by line" tabIndex={0}>
          <Table
            label="Lines of the import"
            rows={sorted.slice(0, MOST_SHOWN)}
            keyOf={({ line }) => line}
            columns={[
              { label: "Line", figures: true, cell: ({ line }) => count(line) },
              { label: "Mapped", cell: ({ name }) => name },
              { label: "Is", cell: ({ becomes }) => <Badge tone={TONES[becomes]}>{becomes}</Badge> },
              { label: "Means, or why not", wide: true, cell: ({ text }) => text },
            ]}
          />
        </section>
      ) : null}
      {plan.length > MOST_SHOWN ? <p class="muted small">The first {MOST_SHOWN} are shown.</p> : null}
    </section>
  );
}
