/** Batches that are sent with a trace, and what is then known of it. */

import type { Program } from "../fault/program.ts";
import { until } from "../until.ts";
import type { SentSpan } from "./spans.ts";

/** A caller's trace and its span. */
export function newCaller(flags = "01") {
  const hex = (bytes: number) => Buffer.from(crypto.getRandomValues(new Uint8Array(bytes))).toString("hex");
  const trace_id = hex(16);
  const span_id = hex(8);
  return { trace_id, span_id, traceparent: `00-${trace_id}-${span_id}-${flags}` };
}

/** The one span of this name. @throws {Error} when there is none, or several */
export function only(spans: readonly SentSpan[], name: string): SentSpan {
  const [span, ...more] = spans.filter((one) => one.name === name);
  if (!span || more.length > 0)
    throw new Error(
      `${more.length + (span ? 1 : 0)} spans have the name ${name}: ${spans.map((s) => s.name)}`,
    );
  return span;
}

/** Log lines with this message. */
export const linesOf = (program: Program, message: string) =>
  program.lines
    .filter((line) => line.endsWith(`"msg":${JSON.stringify(message)}}`))
    .map((line) => JSON.parse(line) as Record<string, unknown>);

/** The line of a job with this message, once it has come: it may come after what other programs say of the job. */
export const lineOf = (program: Program, message: string, job_id: string) =>
  until(`"${message}" is logged of job ${job_id}`, () =>
    linesOf(program, message).find((line) => line.job_id === job_id),
  );

export async function metric(url: string, name: string): Promise<number | undefined> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const line = text.split("\n").find((one) => one.startsWith(`${name} `));
  return line === undefined ? undefined : Number(line.slice(name.length + 1));
}

/** Asked again until it is so. */
export const untilMetric = (url: string, name: string, isRight: (value: number) => boolean) =>
  until(`${name} is right`, async () => {
    const value = await metric(url, name);
    return value !== undefined && isRight(value) ? value : undefined;
  });
