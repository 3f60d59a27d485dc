/** How complete the recordings of the sensors in sight are, asked for as many at a time as the service takes. */
import { useEffect, useState } from "preact/hooks";
import type { CompletenessAnswer, SensorCompleteness } from "../../../../contract/query.ts";
import type { Sensor } from "../../../../contract/registry.ts";
import { get, type Problem } from "../../lib/api.ts";
import { asProblem, isAbort } from "../../lib/resource.ts";
import { queryText } from "../../lib/router.ts";

/** Sensors of a request. */
const AT_ONCE = 50;

export interface Stretch {
  /** RFC 3339. */
  readonly from: string;
  readonly to: string;
}

type Rows = ReadonlyMap<string, SensorCompleteness | null>;

interface State {
  /** Of which stretch the rows are. */
  readonly stretch: Stretch;
  /** By id of the sensor; null: the service tells nothing of it. */
  readonly rows: Rows;
  readonly error: Problem | null;
}

const NONE: Rows = new Map();

/** What is known of the sensors so far; what is missing comes piece by piece, those of the top first. */
export function useCompleteness(system_id: string, sensors: readonly Sensor[], stretch: Stretch) {
  const [state, setState] = useState<State>({ stretch, rows: new Map(), error: null });
  const [round, setRound] = useState(0);
  const known: Rows = state.stretch === stretch ? state.rows : NONE;
  const missing = sensors.filter(({ id }) => !known.has(id)).slice(0, AT_ONCE);
  const ids = missing.map(({ id }) => id).join(",");
  // Each answer makes the next piece the missing one
  useEffect(() => {
    if (ids === "") return;
    const abort = new AbortController();
    const path = `/api/v1/systems/${system_id}/completeness?${queryText({ ...stretch, sensors: ids })}`;
    get<CompletenessAnswer>(path, abort.signal).then(
      ({ sensors: told }) => {
        const asked = missing.map(({ id }) => [id, null] as const);
        const found = told.map((row) => [row.sensor.id, row] as const);
        setState({ stretch, rows: new Map([...known, ...asked, ...found]), error: null });
      },
      (error: unknown) => {
        if (!isAbort(error)) setState({ stretch, rows: known, error: asProblem(error) });
      },
    );
    return () => abort.abort();
  }, [system_id, ids, stretch, round]);
  const reload = () => {
    setState({ stretch, rows: new Map(), error: null });
    setRound((count) => count + 1);
  };
  return { rows: known, error: state.error, loading: ids !== "" && state.error === null, reload };
}
