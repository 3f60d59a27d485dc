/** Why a change of the registry was not made. */

export type RegistryFault =
  | { readonly kind: "system_not_found" | "sensor_not_found" | "id_taken" | "name_taken" }
  /** What is archived, and so takes no changes. */
  | { readonly kind: "archived"; readonly what: "system" | "sensor" }
  /** What holds the unit of a sensor: stored readings, or a range of its own that judges now or later. */
  | { readonly kind: "unit_in_use"; readonly by: "readings" | "range" }
  /** The system has as many mappings as one may have. */
  | { readonly kind: "mappings_full"; readonly limit: number }
  /** The newest version is another than the editor has seen; 0 when there is none. */
  | { readonly kind: "version_conflict"; readonly newest: number };

/** Nothing was changed. */
export class RegistryError extends Error {
  override readonly name = "RegistryError";
  constructor(readonly fault: RegistryFault) {
    super(`the registry was not changed: ${fault.kind}`);
  }
}
