/** What a new range would have refused, in words. */
import type { RangePreview } from "../../../../contract/registry.ts";
import { count, countOf, number, percent, quantity } from "../../lib/format.ts";
import { Time } from "../../ui/time.tsx";

export const PreviewText = ({ preview, unit }: { preview: RangePreview; unit: string }) =>
  preview.readings === 0 ? (
    <div class="note" role="status">
      <p>
        <strong>No readings are stored</strong> from <Time at={preview.from} /> to <Time at={preview.to} />:
        nothing says what this range would refuse.
      </p>
    </div>
  ) : (
    <SomePreview preview={preview} unit={unit} />
  );

const SomePreview = ({ preview, unit }: { preview: RangePreview; unit: string }) => (
  <div class={`note${preview.refused > 0 ? " note-warn" : ""}`} role="status">
    <p>
      <strong>
        {count(preview.refused)} of {countOf(preview.readings, "stored reading")}
      </strong>{" "}
      would have been refused ({percent(preview.refused / preview.readings)}): {count(preview.below)} below,{" "}
      {count(preview.above)} above.
    </p>
    <p class="small">
      They lie between {number(preview.lowest)} and {quantity(preview.highest, unit)}; from{" "}
      <Time at={preview.from} /> to <Time at={preview.to} />.
    </p>
  </div>
);
