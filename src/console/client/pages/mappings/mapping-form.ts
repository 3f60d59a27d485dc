/** The fields of a mapping as typed, and the request that they mean. */
import type { NewMappingBody } from "../../../../contract/mapping.ts";
import type { Sensor } from "../../../../contract/registry.ts";
import type { SeriesKey } from "../../../../contract/series-key.ts";
import { get } from "../../lib/api.ts";
import { FormError } from "../../lib/form-error.ts";
import { tagsOf, tagsText } from "../../lib/mapping-key.ts";
import { queryText } from "../../lib/router.ts";
import type { Page } from "../../types.ts";

export interface MappingForm {
  readonly kind: "name" | "field";
  readonly name: string;
  readonly measurement: string;
  readonly field: string;
  readonly tags: string;
  /** Its name or its id. */
  readonly sensor: string;
  readonly unit: string;
}

const EMPTY: MappingForm = {
  kind: "name",
  name: "",
  measurement: "",
  field: "",
  tags: "",
  sensor: "",
  unit: "",
};

export function formOf(key: SeriesKey | null, sensor = "", unit = ""): MappingForm {
  const given = { ...EMPTY, sensor, unit };
  if (key === null) return given;
  if ("name" in key) return { ...given, name: key.name };
  return { ...given, kind: "field", ...key, tags: tagsText(key.tags) };
}

export const isReady = (form: MappingForm): boolean =>
  form.sensor.trim() !== "" &&
  (form.kind === "name" ? form.name !== "" : form.measurement !== "" && form.field !== "");

const UUID = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i;
/** As many as the API gives at once. */
const MOST_SENSORS = 1_000;

/** The id of a sensor that was typed by name or id. @throws {FormError} @throws {Problem} */
async function sensorIdOf(system_id: string, typed: string): Promise<string> {
  const text = typed.trim();
  if (UUID.test(text)) return text;
  const query = queryText({ text, limit: String(MOST_SENSORS) });
  const { items } = await get<Page<Sensor>>(`/api/v1/systems/${system_id}/sensors?${query}`);
  const found = items.find(({ name }) => name === text);
  if (found) return found.id;
  throw new FormError(`No sensor of this system in use is called "${text}".`);
}

/** @throws {FormError} for people @throws {Problem} */
export async function bodyOf(system_id: string, form: MappingForm): Promise<NewMappingBody> {
  const { kind, name, measurement, field, unit } = form;
  const key = kind === "name" ? { name } : { measurement, field, tags: tagsOf(form.tags) };
  const sensor_id = await sensorIdOf(system_id, form.sensor);
  return { ...key, sensor_id, unit: unit.trim() === "" ? null : unit.trim() };
}
