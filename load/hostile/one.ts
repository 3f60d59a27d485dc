/** One case of a seed alone, to look into what a run has found. */
import { UsageError } from "../command-line.ts";
import { faultOf } from "./attack.ts";
import type { Run } from "./ground.ts";
import { caseOf, slowCaseOf } from "./mix.ts";
import { Wire } from "./wire.ts";

const DEADLINE_MS = 20_000;
const SHOWN = 2_000;
const NAME = /^(hostile|slow) (\d+)$/;

/** @returns the exit code @throws {UsageError} when there is no such case */
export async function showOne({ ground, service }: Run, seed: number, name: string): Promise<number> {
  const [, family, n] = NAME.exec(name) ?? [];
  if (family === undefined) throw new UsageError(`--only takes a name such as "hostile 17", not "${name}"`);
  const one = (family === "slow" ? slowCaseOf : caseOf)(ground, seed, Number(n));
  const wire = await Wire.open(service.port);
  const outcome = await wire.run(one, DEADLINE_MS);
  const bytes = Buffer.concat(one.pieces.filter((piece) => typeof piece !== "number"));
  const fault = faultOf(one, outcome);
  const { kind, shape, operation, expect, end } = one;
  console.log({ kind, shape, operation, expect, end, ...outcome, fault, bytes: bytes.length });
  console.log(bytes.subarray(0, SHOWN).toString("latin1"), wire.received.slice(0, SHOWN));
  return fault === null ? 0 : 1;
}
