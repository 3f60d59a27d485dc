/** What an action changed: the fields that differ, the rest on demand. */
import { type Change, changesOf, factsOf } from "../lib/changes.ts";
import { isFields } from "../lib/fields.ts";
import { zone } from "../lib/preferences.ts";
import { useShared } from "../lib/shared.ts";

const MOST_SHOWN = 6;

export function BeforeAfter({ before, after }: { before: unknown; after: unknown }) {
  const shown = useShared(zone);
  if (before == null && after == null) return null;
  if (isFields(after) && (before == null || isFields(before)))
    return <Changes changes={changesOf(before ?? {}, after, shown)} before={before} after={after} />;
  if (isFields(before) && after == null)
    return <Changes was changes={factsOf(before, shown)} before={before} after={after} />;
  return <WholeChange before={before} after={after} />;
}

interface ChangesProps {
  readonly changes: readonly Change[];
  /** The fields are of what is no more, or was looked at. */
  readonly was?: boolean;
  readonly before: unknown;
  readonly after: unknown;
}

const Changes = ({ changes, was = false, before, after }: ChangesProps) => (
  <>
    <span class="changes small">
      {changes.slice(0, MOST_SHOWN).map(({ name, from, to }) => (
        <span key={name}>
          <span class="muted">
            {name}
            {was ? " was" : ""}
          </span>{" "}
          {from === null ? null : `${from} → `}
          {to}
        </span>
      ))}
    </span>
    {changes.length > MOST_SHOWN ? <WholeChange before={before} after={after} /> : null}
  </>
);

const WholeChange = ({ before, after }: { before: unknown; after: unknown }) => (
  <details class="small">
    <summary>Before and after</summary>
    <pre>{JSON.stringify({ before, after }, null, 2)}</pre>
  </details>
);
