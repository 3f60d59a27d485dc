/** Which points of a curve need a dot to be seen. */

/** So few readings are dots on their line: each can be told from the next. */
const FEW = 60;

/**
 * Indices of the values that need a dot of their own: those that no line reaches, and all of them when they are few.
 * @param values a null ends the line, undefined does not
 * @param most this many are few
 */
export function dotted(
  values: ArrayLike<number | null | undefined>,
  first: number,
  last: number,
  most = FEW,
): readonly number[] {
  const alone: number[] = [];
  const all: number[] = [];
  const reached = (from: number, step: number) => {
    let at = from + step;
    while (at >= 0 && at < values.length && values[at] === undefined) at += step;
    return values[at] != null;
  };
  for (let at = first; at <= last; at += 1) {
    if (values[at] == null) continue;
    all.push(at);
    if (!reached(at, -1) && !reached(at, 1)) alone.push(at);
  }
  return all.length <= most ? all : alone;
}
