/** What a hostile run ends with. */
import { boundLines, number } from "../run/report.ts";
import { type HostileResult, passed } from "./result.ts";

const counts = (of: Readonly<Record<string, number>>) =>
  Object.entries(of)
    .sort(([, a], [, b]) => b - a)
    .map(([name, n]) => `${name} ${number(n)}`)
    .join(", ");

export function report(result: HostileResult): string {
  const { attack, odd, honest, seed } = result;
  const { kinds, statuses, told } = attack;
  const closed = statuses[0] ?? 0;
  const answered = Object.fromEntries(Object.entries(statuses).filter(([status]) => status !== "0"));
  return [
    "",
    `hostile, seed ${seed}: ${number(attack.requests)} requests in ${attack.seconds} s`,
    `  kinds      ${counts(kinds)}`,
    `  answers    ${counts(answered)}; ${number(closed)} connections closed without one`,
    `  honest     ${number(honest.sent)} batches meanwhile, accept p50/p95/p99 ${honest.accept.p50} / ${honest.accept.p95} / ${honest.accept.p99} ms`,
    `  odd        ${odd.batches} batches, ${odd.readings} readings = ${odd.inserted} inserted + ${odd.duplicate} duplicate + ${odd.quarantined} quarantined`,
    `  slowest    ${attack.slowest.map(({ what, n, mean_ms }) => `${what} ${mean_ms} ms (${n})`).join(", ")}`,
    "bounds",
    ...boundLines(result.bounds),
    ...told.map(
      ({ what, name, kind, shape, operation, statuses: s, behind }) =>
        `  ${what}: "${name}", ${kind}, ${shape}, ${operation} -> ${s.join(" ")}${behind ? ` (behind "${behind}")` : ""}`,
    ),
    passed(result) ? "passed" : "FAILED",
    "",
  ].join("\n");
}
