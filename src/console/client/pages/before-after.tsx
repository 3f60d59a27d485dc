/** What an action changed: the fields that differ, the rest on demand. */
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const text = (value: unknown) => (typeof value === "string" ? value : JSON.stringify(value ?? null));

const MOST_SHOWN = 4;

export function BeforeAfter({ before, after }: { before: unknown; after: unknown }) {
  if (before == null && after == null) return null;
  if (!isObject(before) || !isObject(after)) return <WholeChange before={before} after={after} />;
  const changed = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
    (name) => text(before[name]) !== text(after[name]),
  );
  return (
    <>
      {changed.slice(0, MOST_SHOWN).map((name) => (
        <span key={name} class="small">
          <span class="muted">{name}</span> <code>{text(before[name])}</code> →{" "}
          <code>{text(after[name])}</code>
        </span>
      ))}
      {changed.length > MOST_SHOWN ? <WholeChange before={before} after={after} /> : null}
    </>
  );
}

const WholeChange = ({ before, after }: { before: unknown; after: unknown }) => (
  <details class="small">
    <summary>Before and after</summary>
    <pre>{JSON.stringify({ before, after }, null, 2)}</pre>
  </details>
);
