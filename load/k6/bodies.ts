/** Bodies of batches. A rig's text is made once, then each batch is one `join`. Pure: runs in k6 and in Bun. */
import { isForUnknownSystem, placesOf } from "./faults.ts";
import { halves, joint, type RunShape, sampleOf, unknownSystem } from "./rig.ts";

export class Bodies {
  readonly #pieces = new Map<number, string[]>();

  constructor(private readonly shape: RunShape) {}

  /** JSON of the `n`-th batch (from 0) of a rig (from 0). @throws {Error} beyond a day of batches */
  body(rig: number, n: number): string {
    const { shape } = this;
    const system = isForUnknownSystem(shape, n) ? unknownSystem(shape.run, rig, n) : shape.system_id;
    return `{"system_id":"${system}","readings":[${this.#of(rig).join(joint(shape, rig, n))}]}`;
  }

  #of(rig: number): string[] {
    let pieces = this.#pieces.get(rig);
    if (pieces === undefined) {
      pieces = piecesOf(this.shape, rig);
      this.#pieces.set(rig, pieces);
    }
    return pieces;
  }
}

/** The text of all readings, cut at each joint. */
function piecesOf(shape: RunShape, rig: number): string[] {
  const pieces: string[] = [];
  let open = "";
  for (const place of placesOf(shape, (at) => sampleOf(at, shape.batch))) {
    const text =
      "good" in place
        ? halves(shape.run, rig, place.good)
        : place.fault.text({ shape, rig, before: place.before });
    const comma = open === "" && pieces.length === 0 ? "" : ",";
    if (typeof text === "string") {
      open += comma + text;
      continue;
    }
    pieces.push(open + comma + text[0]);
    open = text[1];
  }
  pieces.push(open);
  return pieces;
}
