/** The way of a new range of a sensor: typed, previewed piece by piece, set. */

import { useEffect, useRef, useState } from "preact/hooks";
import type { RangePreview, RangeState } from "../../../../contract/registry.ts";
import { type Answer, call, get, Problem } from "../../lib/api.ts";
import { fewAtOnce } from "../../lib/few-at-once.ts";
import { isAbort, useAction } from "../../lib/resource.ts";
import { queryText, useFilters } from "../../lib/router.ts";
import { plainNumber } from "../../lib/typed-number.ts";
import { notify } from "../../ui/notices.tsx";
import { piecesOf, type Sent, type Span, type Stretch, stretchOf, together } from "./preview-span.ts";

export interface RangeEditorProps {
  readonly path: string;
  readonly state: Answer<RangeState>;
  readonly sent: Sent;
  /** It takes the place of another, and the focus that was there. */
  readonly isNext: boolean;
  /** The range is not the one that was shown any more. */
  readonly onRaced: (problem: Problem) => void;
  readonly onSaved: () => void;
}

/** As typed. */
interface Limits {
  readonly min: string;
  readonly max: string;
}

/**
 * Questions about pieces that are under way at once: half of what the service answers at a time by default. The database
 * looks at each piece with one process, so two cores are busy with two, and more would only keep others waiting.
 */
const AT_ONCE = 2;

/** What a new range would have refused, looked at piece by piece; whoever goes on typing stops it. */
function usePreview(path: string, sent: Sent, run: (work: () => Promise<void>) => Promise<void>) {
  const [preview, setPreview] = useState<RangePreview | null>(null);
  const [looked, setLooked] = useState<readonly [done: number, of: number] | null>(null);
  const current = useRef<AbortController>(null);
  const forget = () => {
    current.current?.abort();
    setPreview(null);
    setLooked(null);
  };
  const look = (typed: Limits, stretch: Stretch) =>
    run(async () => {
      forget();
      const limits = plain(typed);
      const abort = new AbortController();
      current.current = abort;
      const pieces = piecesOf(stretch, sent);
      let done = 0;
      const lookAt = async (piece: Stretch) => {
        const asked = `${path}/preview?${queryText({ ...limits, ...piece })}`;
        const found = await get<RangePreview>(asked, abort.signal);
        done += 1;
        if (current.current === abort) setLooked([done, pieces.length]);
        return found;
      };
      setLooked([done, pieces.length]);
      try {
        setPreview((await fewAtOnce(pieces, AT_ONCE, lookAt)).reduce(together));
      } catch (error) {
        // The others are of no use any more
        abort.abort();
        if (!isAbort(error)) throw error;
      } finally {
        if (current.current === abort) setLooked(null);
      }
    });
  // Nobody waits any more on another page
  useEffect(() => () => current.current?.abort(), []);
  return { preview, looked, look, forget };
}

/** The way of a new range: typed, previewed, set. */
export function useNewRange({ path, state: { data, headers }, sent, onRaced, onSaved }: RangeEditorProps) {
  const [limits, setLimits] = useState({ min: text(data.in_force.min), max: text(data.in_force.max) });
  const [validFrom, setValidFrom] = useState<string | null>(null);
  const action = useAction();
  const previews = usePreview(path, sent, action.run);
  const etag = headers.get("ETag");
  const type = (change: Partial<typeof limits>) => {
    setLimits((old) => ({ ...old, ...change }));
    previews.forget();
  };
  const [span, setSpan] = useState<Span>("7");
  const stretch = stretchOf(span, sent, useFilters()[0]);
  const look = () => previews.look(limits, stretch);
  const save = (range: { min?: number; max?: number }, done: string) =>
    action.run(async () => {
      const body = { ...range, ...(validFrom ? { valid_from: validFrom } : {}) };
      try {
        await call(path, { method: "PUT", body, ...(etag ? { headers: { "If-Match": etag } } : {}) });
      } catch (error) {
        if (!(error instanceof Problem && error.status === 412)) throw error;
        return onRaced(error);
      }
      notify(done);
      onSaved();
    });
  const chooseSpan = (wanted: Span) => {
    setSpan(wanted);
    previews.forget();
  };
  const { preview, looked } = previews;
  const stop = previews.forget;
  return {
    ...{ limits, type, validFrom, setValidFrom, span, chooseSpan, preview, looked, look, stop, save },
    ...action,
  };
}

const text = (limit: number | null) => String(limit ?? "");
/** Limits as the API takes them, which says what is wrong with them. @throws {FormError} */
const plain = ({ min, max }: Limits) => ({
  min: plainNumber(min, "The lowest good value"),
  max: plainNumber(max, "The highest good value"),
});
