/** What an import of mappings would do, told before it is done. */
import type { MappingView, NewMappingBody } from "../../../../contract/mapping.ts";
import type { Sensor, UnitList } from "../../../../contract/registry.ts";
import type { SeriesKey } from "../../../../contract/series-key.ts";
import { FormError } from "../../lib/form-error.ts";
import { keyName, keyText, tagsOf } from "../../lib/mapping-key.ts";
import { rowsOf, type TextRow } from "../../lib/table-text.ts";
import { convert } from "../../lib/units.ts";

export const COLUMNS = ["name", "measurement", "field", "tags", "sensor", "unit"] as const;

export interface Planned {
  readonly line: number;
  readonly name: string;
  readonly becomes: "new" | "changed" | "same" | "wrong";
  /** Why it is wrong, or which sensor it means. */
  readonly text: string;
  /** What is to be sent; null: nothing. */
  readonly body: NewMappingBody | null;
}

/** What there is now. */
export interface Known {
  readonly sensors: readonly Pick<Sensor, "id" | "name" | "unit">[];
  readonly mappings: readonly MappingView[];
  readonly units: UnitList;
}

/** The key of a mapping that there is. */
export const keyOf = ({ name, measurement, field, tags }: MappingView): SeriesKey =>
  name === null ? { measurement: measurement ?? "", field: field ?? "", tags: tags ?? {} } : { name };

/** One entry for each record of the text, in its order. @throws {FormError} when the text is no table */
export function planOf(text: string, { sensors, mappings, units }: Known): readonly Planned[] {
  const byName = new Map(sensors.map((sensor) => [sensor.name, sensor]));
  const byId = new Map(sensors.map((sensor) => [sensor.id, sensor]));
  const known = new Map(mappings.map((mapping) => [keyText(keyOf(mapping)), mapping]));
  const seen = new Map<string, number>();
  return rowsOf(text, COLUMNS).map((row) => {
    const { line } = row;
    try {
      const key = sentKeyOf(row);
      const [id, name] = [keyText(key), keyName(key)];
      const before = seen.get(id);
      if (before !== undefined) throw new FormError(`Line ${before} maps it already.`);
      seen.set(id, line);
      const typed = row.cells.sensor ?? "";
      const sensor = byName.get(typed) ?? byId.get(typed.toLowerCase());
      if (!sensor) throw new FormError(`No sensor of this system in use is called "${typed}".`);
      const unit = row.cells.unit || null;
      if (unit !== null && convert(0, unit, sensor.unit, units) === null)
        throw new FormError(`"${unit}" is no unit of ${sensor.name}, which measures in ${sensor.unit}.`);
      const old = known.get(id);
      const becomes =
        old === undefined ? "new" : old.sensor_id === sensor.id && old.unit === unit ? "same" : "changed";
      const body = becomes === "same" ? null : { ...key, sensor_id: sensor.id, unit };
      return { line, name, becomes, text: `${sensor.name}${unit ? `, in ${unit}` : ""}`, body };
    } catch (error) {
      if (!(error instanceof FormError)) throw error;
      return {
        line,
        name: row.cells.name || row.cells.field || "",
        becomes: "wrong",
        text: error.message,
        body: null,
      };
    }
  });
}

/** @throws {FormError} for people */
function sentKeyOf({ cells }: TextRow): SeriesKey {
  const { name = "", measurement = "", field = "", tags = "" } = cells;
  if (name !== "" && measurement === "" && field === "" && tags === "") return { name };
  if (name === "" && measurement !== "" && field !== "") return { measurement, field, tags: tagsOf(tags) };
  throw new FormError("It needs a name alone, or a measurement and a field.");
}
