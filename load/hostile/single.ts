/** Single cases of a seed, to look into what a run has found. */
import { UsageError } from "../command-line.ts";
import { faultOf } from "./attack.ts";
import type { HostileCase } from "./case.ts";
import type { Run } from "./ground.ts";
import { caseOf, slowCaseOf } from "./mix.ts";
import { Wire } from "./wire.ts";

const DEADLINE_MS = 20_000;
const SHOWN = 2_000;
const NAME = /^(hostile|slow) (\d+)$/;
/** Of several, which are sent behind one another on one connection. */
const BETWEEN = /\s*,\s*/;

/** @returns the exit code @throws {UsageError} when there is no such case */
export async function showCases({ ground, service }: Run, seed: number, names: string): Promise<number> {
  const wire = await Wire.open(service.port);
  let faults = 0;
  for (const name of names.split(BETWEEN))
    faults += (await isAtFault(wire, caseNamed(ground, seed, name))) ? 1 : 0;
  return faults === 0 ? 0 : 1;
}

/** @throws {UsageError} */
function caseNamed(ground: Run["ground"], seed: number, name: string): HostileCase {
  const [, family, n] = NAME.exec(name) ?? [];
  if (family === undefined) throw new UsageError(`--only takes a name such as "hostile 17", not "${name}"`);
  return (family === "slow" ? slowCaseOf : caseOf)(ground, seed, Number(n));
}

async function isAtFault(wire: Wire, one: HostileCase): Promise<boolean> {
  const outcome = await wire.run(one, DEADLINE_MS);
  const bytes = Buffer.concat(one.pieces.filter((piece) => typeof piece !== "number"));
  const fault = faultOf(one, outcome);
  const { kind, shape, operation, expect, end } = one;
  console.log({ kind, shape, operation, expect, end, ...outcome, fault, bytes: bytes.length });
  console.log(bytes.subarray(0, SHOWN).toString("latin1"), wire.received.slice(0, SHOWN));
  return fault !== null;
}
