/** Where a reading stands in the list that the visitor came from, and the ways to the next and the one before. */

import { count } from "../../lib/format.ts";
import type { Neighbours } from "../../lib/trail.ts";

export function NeighbourButtons({ at, of, before, next }: Neighbours) {
  if (at === null) return null;
  return (
    <span class="chart-tools">
      <span class="muted small nowrap">
        {count(at)} of {count(of)}
      </span>
      <button type="button" class="button small-button" disabled={!before} onClick={before ?? undefined}>
        Before <kbd>k</kbd>
      </button>
      <button type="button" class="button small-button" disabled={!next} onClick={next ?? undefined}>
        Next <kbd>j</kbd>
      </button>
    </span>
  );
}
