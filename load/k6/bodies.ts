/** Bodies of batches. A rig's text is made once, then each batch is one `join`. Pure: runs in k6 and in Bun. */
import { isForUnknownSystem, placesOf } from "./faults.ts";
import { joint, RigText, type RunShape, sampleOf, unknownSystem } from "./rig.ts";

export class Bodies {
  readonly #pieces = new Map<number, readonly string[]>();

  constructor(private readonly shape: RunShape) {}

  /** JSON of the `n`-th batch (from 0) of a rig (from 0). @throws {Error} beyond a day of batches */
  body(rig: number, n: number): string {
    const { shape } = this;
    const pieces = this.#of(rig);
    const between = joint(shape, rig, n);
    if (!isForUnknownSystem(shape, n)) return pieces.join(between);
    const [first, ...others] = pieces;
    return [first!.replace(shape.system_id, unknownSystem(shape.run, rig, n)), ...others].join(between);
  }

  #of(rig: number): readonly string[] {
    let pieces = this.#pieces.get(rig);
    if (pieces === undefined) {
      pieces = piecesOf(this.shape, rig);
      this.#pieces.set(rig, pieces);
    }
    return pieces;
  }
}

/** The whole text, cut at each joint. */
function piecesOf(shape: RunShape, rig: number): readonly string[] {
  const text = new RigText(shape.run, rig);
  const pieces: string[] = [];
  let open = `{"system_id":"${shape.system_id}","readings":[`;
  let comma = "";
  for (const place of placesOf(shape, (at) => sampleOf(at, shape.batch))) {
    const reading =
      "good" in place ? text.halves(place.good) : place.fault.text({ shape, text, before: place.before });
    if (typeof reading === "string") open += comma + reading;
    else {
      pieces.push(open + comma + reading[0]);
      open = reading[1];
    }
    comma = ",";
  }
  pieces.push(`${open}]}`);
  return pieces;
}
