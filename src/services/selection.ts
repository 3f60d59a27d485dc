/** The order of choice between the ways to get one service. Pure but for the probes, which are passed in. */
import type { Finding } from "./local-binaries.ts";
import { ServicesError } from "./services-error.ts";
import type { ServiceName } from "./types.ts";

/** Probes in the order of choice; each is asked only when it is needed. */
export interface Probes<Local, Docker, Embedded> {
  local(): Promise<Finding<Local>>;
  docker(): Promise<Finding<Docker>>;
  embedded(): Promise<Finding<Embedded>>;
}

/** What was chosen, and the sentence that says why. */
export type Choice<Local, Docker, Embedded> =
  | { readonly kind: "given"; readonly url: string; readonly why: string }
  | { readonly kind: "local"; readonly place: Local; readonly why: string }
  | { readonly kind: "docker"; readonly place: Docker; readonly why: string }
  | { readonly kind: "embedded"; readonly place: Embedded; readonly why: string };

type PrivateKind = "local" | "docker" | "embedded";

const ORDER: readonly PrivateKind[] = ["local", "docker", "embedded"];
const VARIABLE: Record<ServiceName, string> = { postgres: "DATABASE_URL", redis: "REDIS_URL" };
const WANTED: Record<ServiceName, string> = {
  postgres: "PostgreSQL 15 or newer with the timescaledb extension",
  redis: "redis-server or valkey-server 7 or newer",
};

/**
 * Chooses: the given URL; else the source used before, as the data is there; else the first of local programs,
 * Docker and the embedded bundle that can be had.
 *
 * @throws ServicesError `no-way` with every reason and the three ways out
 */
export async function chooseSource<Local, Docker, Embedded>(
  service: ServiceName,
  url: string | undefined,
  remembered: PrivateKind | undefined,
  probes: Probes<Local, Docker, Embedded>,
): Promise<Choice<Local, Docker, Embedded>> {
  if (url !== undefined) return { kind: "given", url, why: `given by ${VARIABLE[service]}` };
  const reasons: string[] = [];
  const order = remembered ? [remembered, ...ORDER.filter((kind) => kind !== remembered)] : ORDER;
  for (const kind of order) {
    const finding = await probes[kind]();
    if ("missing" in finding) {
      reasons.push(finding.missing);
      continue;
    }
    const why = kind === remembered ? "as at the last start" : reasons.join("; ") || "found on this machine";
    // The probe of a kind gives the place of that kind; the compiler cannot follow that through the index.
    return { kind, place: finding.found, why } as Choice<Local, Docker, Embedded>;
  }
  throw noWay(service, reasons);
}

function noWay(service: ServiceName, reasons: readonly string[]): ServicesError {
  return new ServicesError(
    "no-way",
    `There is no way here to get ${service === "postgres" ? "TimescaleDB" : "Redis"}: ${reasons.join("; ")}`,
    `There are three ways out: (1) set ${VARIABLE[service]} to a server of your own, (2) install ` +
      `${WANTED[service]}, (3) start a Docker daemon with the compose plugin. Then start again.`,
  );
}
