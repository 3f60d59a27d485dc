/** What fields offer while one types: units and sensors. Anything else may be typed too. */
import type { Sensor, UnitList } from "../../../contract/registry.ts";
import type { Page } from "../types.ts";
import { useResource } from "./resource.ts";

type Choices = readonly (readonly [value: string, text: string])[];

/** Spellings that the service takes. */
export function useUnitChoices(): Choices {
  const { data } = useResource<UnitList>("/api/v1/units");
  return (data?.items ?? []).flatMap(({ symbol, name, aliases }) => [
    [symbol, name] as const,
    ...aliases.flatMap(({ spellings }) => spellings.map((spelling) => [spelling, `to ${symbol}`] as const)),
  ]);
}

/**
 * Sensors of a system, by name.
 * @param system_id null: none are offered
 * @param by what is put into the field
 */
export function useSensorChoices(system_id: string | null, by: "id" | "name"): Choices {
  const path = system_id === null ? null : `/api/v1/systems/${system_id}/sensors?limit=1000`;
  const { data } = useResource<Page<Sensor>>(path);
  return (data?.items ?? []).map(({ id, name, unit }) => (by === "id" ? [id, name] : [name, unit]));
}
