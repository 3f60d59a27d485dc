/** Names that may be too long for their place: short in sight, whole in the title. */
import { placeText, shortId, shortName } from "../lib/format.ts";

interface SensorNameProps {
  /** Null: unknown, then the id stands in. */
  readonly name: string | null | undefined;
  readonly id: string | null;
  /** Leads to this address. */
  readonly href?: string;
}

export function SensorName({ name, id, href }: SensorNameProps) {
  const text = name ? shortName(name) : id ? shortId(id) : "Unknown sensor";
  const shortened = text !== name;
  const look = {
    title: [name, id].filter(Boolean).join("\n") || undefined,
    class: shortened ? "nowrap" : "clamp",
  };
  return href ? (
    <a href={href} {...look}>
      {text}
    </a>
  ) : (
    <span {...look}>{text}</span>
  );
}

/** Which reading of its batch: an index as in JSON pointers and the API's `ordinal`, which nobody takes for a count. */
export const PlaceInBatch = ({ ordinal }: { ordinal: number }) => (
  <code title={`The ${placeText(ordinal + 1)} reading of its batch`}>readings[{ordinal}]</code>
);
