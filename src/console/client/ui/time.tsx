/** Times with their zone, in the zone that the visitor chose. */
import { ago, NOTHING, timeParts, timeText } from "../lib/format.ts";
import { zone } from "../lib/preferences.ts";
import { useShared } from "../lib/shared.ts";

interface TimeProps {
  readonly at: string | null | undefined;
  /** Says how long ago; the exact time is in the title and in `datetime`. */
  readonly relative?: boolean;
  /** The day alone, where the hour says nothing. */
  readonly day?: boolean;
  /** With the milliseconds, for what was measured; what people and programs did is told to the second. */
  readonly precise?: boolean;
}

export function Time({ at, relative = false, day = false, precise = false }: TimeProps) {
  const shown = useShared(zone);
  if (!at) return <span class="muted">{NOTHING}</span>;
  const parts = timeParts(at, shown, { fraction: precise }) ?? [at];
  return (
    <time class="time" dateTime={at} title={`${timeText(at, shown)} (${ago(at)})`}>
      {relative ? ago(at) : <Exact parts={day ? parts.slice(0, 1) : parts} />}
    </time>
  );
}

/** Where room is short, the line breaks between date and clock only; the zone steps back. */
function Exact({ parts: [date, clock = ""] }: { parts: readonly string[] }) {
  const end = clock.lastIndexOf(" ");
  return (
    <>
      <span class="nowrap">{date}</span>
      {clock ? (
        <>
          {" "}
          <span class="nowrap">
            {clock.slice(0, end)} <span class="muted">{clock.slice(end + 1)}</span>
          </span>
        </>
      ) : null}
    </>
  );
}

/** A moment with its name, for `Facts`; null without one. */
export const timeFact = (name: string, at: string | null) =>
  at === null ? null : ([name, <Time key={name} at={at} />] as const);
