/** Times with their zone, in the zone that the visitor chose. */
import { ago, NOTHING, timeParts } from "../lib/format.ts";
import { zone } from "../lib/preferences.ts";
import { useShared } from "../lib/shared.ts";

interface TimeProps {
  readonly at: string | null | undefined;
  /** Says how long ago; the exact time is in the title and in `datetime`. */
  readonly relative?: boolean;
}

export function Time({ at, relative = false }: TimeProps) {
  const shown = useShared(zone);
  if (!at) return <span class="muted">{NOTHING}</span>;
  const parts = timeParts(at, shown) ?? [at];
  const exact = parts.join(" ");
  return (
    <time class="time" dateTime={at} title={`${exact} (${ago(at)})`}>
      {relative ? ago(at) : <Exact parts={parts} />}
    </time>
  );
}

/** Where room is short, the line breaks between date and clock only. */
const Exact = ({ parts: [date, clock] }: { parts: readonly string[] }) => (
  <>
    <span class="nowrap">{date}</span>
    {clock ? (
      <>
        {" "}
        <span class="nowrap">{clock}</span>
      </>
    ) : null}
  </>
);

/** A moment with its name, for `Facts`; null without one. */
export const timeFact = (name: string, at: string | null) =>
  at === null ? null : ([name, <Time key={name} at={at} />] as const);
