/** A webhook carries the trace of its attempt, when there is a collector; what may be secret in its address is not told. */
import { afterAll, expect, test } from "bun:test";
import { openTracer } from "../../../src/ops/tracing.ts";
import { startCollector } from "../../support/otlp/collector.ts";
import { status } from "../../support/receiver.ts";
import { until } from "../../support/until.ts";
import { makeWebhook, note, webhookScene } from "../../support/webhooks.ts";

const { receiver, dispatch, database } = sceneOf();
const collector = startCollector();
afterAll(() => collector.close());

function sceneOf() {
  const scene = webhookScene();
  return { ...scene, database: () => scene.database };
}

async function delivered(tracer?: Awaited<ReturnType<typeof openTracer>>) {
  const there = await receiver((response, request, nth) =>
    status(nth === 1 ? 503 : 204)(response, request, nth),
  );
  const { id } = await makeWebhook(database(), `${there.url}/secret-path?token=secret`);
  await note(database(), id);
  dispatch(tracer ? { tracer } : {});
  await until("both attempts", () => there.received.length === 2);
  return { id, port: there.port, traceparents: there.received.map(({ headers }) => headers.traceparent) };
}

test("each attempt is a trace of its own that the receiver can go on with", async () => {
  const tracer = await openTracer(
    {
      url: `${collector.url}/v1/traces`,
      headers: {},
      resource: {},
      version: "0",
      sampler: "always_on",
      share: 1,
    },
    () => undefined,
  );
  const { id, port, traceparents } = await delivered(tracer);
  // Not by closing the tracer: the second attempt is not over when its request has come.
  const spans = await until("both spans", () => collector.spans.length >= 2 && collector.spans);
  await tracer.close(2_000);
  expect(spans.map(({ trace_id, span_id }) => `00-${trace_id}-${span_id}-03`)).toEqual(
    traceparents as string[],
  );
  expect(spans.map(({ isError }) => isError)).toEqual([true, false]);
  expect(spans[0]).toMatchObject({
    name: "POST",
    kind: "client",
    attributes: {
      "http.response.status_code": 503,
      "error.type": "503",
      "server.address": "127.0.0.1",
      "url.full": `http://127.0.0.1:${port}`,
      "hydraulic.webhook_id": id,
    },
  });
  expect(JSON.stringify(spans)).not.toContain("secret");
});

test("without a collector nothing is added", async () => {
  expect((await delivered()).traceparents).toEqual([undefined, undefined]);
});
