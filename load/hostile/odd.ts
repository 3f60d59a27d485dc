/**
 * Batches with a good envelope and whatever else: they are accepted, and each of their readings must be accounted for.
 * They belong beside the hostile ones because a reading that only breaks later (in a thread, in the encoder, in the
 * database) is found by no refusal.
 */
import { Chance } from "../../src/feed/simulate/chance.ts";
import { WrongDataError } from "../bench/tables.ts";
import type { Run } from "./ground.ts";
import { goodReading, nastyJson, nastyText } from "./nasty.ts";

export interface OddResult {
  readonly batches: number;
  readonly readings: number;
  readonly inserted: number;
  readonly duplicate: number;
  readonly quarantined: number;
}

interface OddBatch {
  readonly target: string;
  readonly type: string;
  readonly body: string;
}

const LONGEST_NEST = 4_000;
const text = (chance: Chance) => JSON.stringify(nastyText(chance));
const number = (chance: Chance) =>
  chance.pick([
    "1e400",
    "-1e400",
    "-0",
    "1e-400",
    "0.1e1",
    "9007199254740993",
    "1".repeat(400),
    `0.${"0".repeat(400)}1`,
  ]);

const nested = (deep: number) => `[${"[".repeat(deep)}${"]".repeat(deep)}]`;

function oddReading(chance: Chance): string {
  const good = goodReading(chance);
  const field = chance.pick(["sensor_id", "timestamp", "value", "unit", "quality"]);
  const value = chance.pick([text, number, nastyJson])(chance);
  return chance.pick([
    () => good.replace(new RegExp(`"${field}":("[^"]*"|[^,}]*)`), () => `"${field}":${value}`),
    () => `{"${field}":${value},${good.slice(1)}`,
    () => `${good.slice(0, -1)},"__proto__":${value}}`,
    () => `${good.slice(0, -1)},${text(chance)}:${value}}`,
    () => value,
    () => nested(chance.below(LONGEST_NEST)),
    () => good,
  ])();
}

function oddBatch({ odd }: Run["ground"], chance: Chance): OddBatch {
  const readings = Array.from({ length: 1 + chance.below(20) }, () => oddReading(chance));
  const system = `?system_id=${odd}`;
  const noLineEnd = (line: string) => line.replace(/[\r\n]/g, " ");
  const cell = () => `"${nastyText(chance).replaceAll('"', '""')}"`;
  const lineText = () => nastyText(chance).replace(/["\n\\]/g, "x");
  return chance.pick<() => OddBatch>([
    () => ({
      target: "/api/v1/data/ingest",
      type: "application/json",
      body: `{"system_id":"${odd}","readings":[${readings.join(",")}]}`,
    }),
    () => ({
      target: `/api/v1/data/ingest${system}`,
      type: "application/x-ndjson",
      body: `${readings.map(noLineEnd).join("\n")}\nnot JSON ${noLineEnd(nastyText(chance))}\n`,
    }),
    () => ({
      target: `/api/v1/data/ingest${system}`,
      type: "text/csv",
      body: `sensor_id,timestamp,value,unit\n${readings.map(() => [cell(), cell(), cell(), cell()].join(",")).join("\n")}\n`,
    }),
    () => ({
      target: `/api/v2/write?bucket=${odd}`,
      type: "text/plain",
      body: readings
        .map(
          () =>
            `m${lineText()},t=${lineText()} f${lineText()}=${chance.pick(["1", number(chance), lineText()])} ${lineText()}`,
        )
        .join("\n"),
    }),
  ])();
}

/** @throws {WrongDataError} when one is refused, does not end well, or its numbers do not add up */
export async function oddBatches(run: Run, seed: number, batches: number): Promise<OddResult> {
  const { service, stack, ground } = run;
  for (let n = 0; n < batches; n += 1) {
    const { target, type, body } = oddBatch(ground, new Chance(seed, `odd ${n}`));
    const answer = await fetch(`http://${service.host}:${service.port}${target}`, {
      method: "POST",
      headers: { Authorization: `Bearer ${ground.producer}`, "Content-Type": type },
      body,
    });
    if (answer.status !== 202 && answer.status !== 204) {
      throw new WrongDataError(
        `odd batch ${n} (${type}) was answered with ${answer.status}: ${await answer.text()}`,
      );
    }
  }
  return { batches, ...(await accounted(stack.sql, ground.odd, batches)) };
}

const DEADLINE_MS = 60_000;
const POLL_MS = 50;

async function accounted(
  sql: Run["stack"]["sql"],
  system_id: string,
  batches: number,
): Promise<Omit<OddResult, "batches">> {
  const until_ms = performance.now() + DEADLINE_MS;
  for (;;) {
    const [row] = await sql<
      Record<"ended" | "bad" | "total" | "inserted" | "duplicate" | "quarantined", number>[]
    >`
      SELECT count(*) FILTER (WHERE status IN ('completed', 'failed'))::int AS ended,
        count(*) FILTER (WHERE status = 'failed' OR (status = 'completed' AND total_readings <>
          inserted_readings + duplicate_readings + quarantined_readings))::int AS bad,
        coalesce(sum(total_readings), 0)::int AS total, coalesce(sum(inserted_readings), 0)::int AS inserted,
        coalesce(sum(duplicate_readings), 0)::int AS duplicate,
        coalesce(sum(quarantined_readings), 0)::int AS quarantined
      FROM diagnostics_ingestion_job WHERE system_id = ${system_id}`;
    const { ended = 0, bad = 0, total = 0, inserted = 0, duplicate = 0, quarantined = 0 } = row ?? {};
    if (bad > 0) {
      const messages = await sql<{ error_message: string | null }[]>`
        SELECT error_message FROM diagnostics_ingestion_job WHERE system_id = ${system_id} AND status = 'failed' LIMIT 5`;
      throw new WrongDataError(
        `${bad} odd batches did not end well: ${messages.map((m) => m.error_message).join("; ")}`,
      );
    }
    if (ended === batches) return { readings: total, inserted, duplicate, quarantined };
    if (performance.now() > until_ms) throw new WrongDataError(`${batches - ended} odd batches do not end`);
    await Bun.sleep(POLL_MS);
  }
}
