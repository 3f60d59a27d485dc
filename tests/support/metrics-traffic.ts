/** Makes everything happen once that a metric is counted for, so that no panel of a dashboard is empty. */
import { login, postBatch } from "./fault/load.ts";
import type { TcpProxy } from "./proxy.ts";
import type { Receiver } from "./receiver.ts";
import { status } from "./receiver.ts";
import type { Stack } from "./stack.ts";
import { until } from "./until.ts";

interface Scene {
  readonly stack: Stack;
  /** Before the database that the programs use. */
  readonly postgres: TcpProxy;
  /** Of webhooks, on loopback. */
  readonly receiver: Receiver;
}

/**
 * Beside load that is under way (which brings good readings and those that are refused): a batch of a system that is
 * not registered, the same readings twice, a decision about a refused reading, a webhook whose receiver is gone, and
 * a database that is away for a moment.
 */
export async function makeAllHappen({ stack, postgres, receiver }: Scene): Promise<void> {
  const token = await login(stack.url, "admin");
  const call = async (method: string, path: string, body?: object): Promise<Response> => {
    const response = await fetch(stack.url + path, {
      method,
      headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return response;
  };
  receiver.behave(status(410));
  await call("POST", "/api/v1/webhooks", { url: `${receiver.url}/hook`, events: ["job.failed"] });
  await sendTwice(stack, token);
  const unknown = { system_id: crypto.randomUUID(), readings: [reading()] };
  await postBatch(stack.url, token, { key: crypto.randomUUID(), body: JSON.stringify(unknown) });
  const refused = await until("a reading is refused", async () => {
    const { items } = (await (await call("GET", "/api/v1/quarantine?limit=1")).json()) as {
      items: { id: number }[];
    };
    return items[0];
  });
  await call("POST", "/api/v1/quarantine/actions", {
    action: "reject",
    selection: { ids: [refused.id] },
    note: "not a reading",
  });
  await until("the webhook was tried", () => receiver.received.length > 0);
  await withoutDatabase(stack, postgres, call);
}

const reading = () => ({
  sensor_id: crypto.randomUUID(),
  timestamp: new Date().toISOString(),
  value: 120,
  unit: "bar",
});

async function sendTwice(stack: Stack, token: string): Promise<void> {
  const system_id = "550e8400-e29b-41d4-a716-446655440000";
  const body = JSON.stringify({ system_id, readings: [reading()] });
  for (let times = 0; times < 2; times++) {
    const { status } = await postBatch(stack.url, token, { key: crypto.randomUUID(), body });
    if (status !== 202) throw new Error(`answered ${status}`);
  }
}

/** Until a worker has said that it repeats, and a query has failed. */
async function withoutDatabase(
  stack: Stack,
  postgres: TcpProxy,
  call: (method: string, path: string) => Promise<Response>,
): Promise<void> {
  const metrics = async () => (await fetch(`${stack.url}/metrics`)).text();
  postgres.refuse();
  try {
    await until("a query fails", async () => {
      await call("GET", "/api/v1/quarantine?limit=1").catch(() => undefined);
      return /^hydraulic_query_seconds_count\{[^}]*ok="false"/m.test(await metrics());
    });
    await until("batches wait", async () => (await stack.reckoning.streamLength()) > 5);
  } finally {
    postgres.resume();
  }
}
