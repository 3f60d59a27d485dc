/** docs/integrate.md, run as it stands there: only the address is another one. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import postgres from "postgres";
import { consumerProject, run, withoutNode } from "../../support/client-programs.ts";
import { asGrafanaSends } from "../../support/grafana-macros.ts";
import { type Block, blocksOf } from "../../support/markdown-blocks.ts";
import { Stack } from "../../support/stack.ts";
import { until } from "../../support/until.ts";

const DOCS = fileURLToPath(new URL("../../../docs/", import.meta.url));
const ADDRESS = "http://127.0.0.1:8000";
const SYSTEM = "550e8400-e29b-41d4-a716-446655440000";
const DEADLINE_MS = 180_000;

let blocks: Block[];
let stack: Stack;
let folder: string;
let api_key: string;

beforeAll(async () => {
  blocks = blocksOf(await Bun.file(join(DOCS, "integrate.md")).text());
  folder = await mkdtemp(join(tmpdir(), "hydraulic-integrate-"));
  stack = await Stack.create();
  await stack.start("all");
  if (Bun.which("curl") === null) throw new Error("curl is needed: the page begins with it");
  const shown = await shell(`${only("A key", "sh")}\nprintf %s "$HYDRAULIC_API_KEY"`);
  api_key = shown.trim();
}, DEADLINE_MS);
afterAll(async () => {
  await stack.close();
  await rm(folder, { recursive: true });
});

/** The one block of a section in this language, at our address. */
function only(section: string, language: string): string {
  const found = blocks.filter((block) => block.section === section && block.language === language);
  if (found.length !== 1) throw new Error(`${section} has ${found.length} blocks of ${language}`);
  return found[0]!.text.replaceAll(ADDRESS, stack.url);
}

async function shell(script: string): Promise<string> {
  return run(["env", `HYDRAULIC_API_KEY=${api_key ?? ""}`, "sh", "-ec", script], folder);
}

/** Readings of the sensor whose id ends with this digit. */
async function stored(sensor: number): Promise<{ n: number; unit: string | null }> {
  const [row] = await stack.reckoning.sql<{ n: number; unit: string | null }[]>`
    SELECT count(*)::int AS n, min(unit) AS unit FROM diagnostics_sensordata
    WHERE sensor_id = ${`550e8400-e29b-41d4-a716-44665544000${sensor}`}`;
  return row!;
}

const withKey = (...argv: string[]) => ["env", `HYDRAULIC_API_KEY=${api_key}`, ...argv];

describe("what stands in docs/integrate.md stores what it says:", () => {
  test("a key", () => {
    expect(api_key).toMatch(/^\S{20,}$/);
  });

  test(
    "curl",
    async () => {
      const answer = JSON.parse(await shell(only("curl", "sh")));
      expect(answer).toMatchObject({ status: "completed", inserted_readings: 2 });
      expect(await stored(1)).toEqual({ n: 1, unit: "bar" });
      expect(await stored(6)).toEqual({ n: 1, unit: "celsius" });
    },
    DEADLINE_MS,
  );

  test(
    "TypeScript, on Bun and as JavaScript on Node.js",
    async () => {
      const program = only("TypeScript", "ts");
      const project = await consumerProject(folder);
      await Bun.write(join(project, "press.ts"), program);
      await Bun.write(join(project, "press.mjs"), program.replaceAll("40003", "40005"));
      const said = await run(withKey(process.execPath, "press.ts"), project);
      // In one batch, unless the machine was so slow that the client sent a part before all was written.
      expect(said).toMatch(/^(\d+ readings are in job [0-9a-f-]{36}\n)+$/);
      const parts = said.trimEnd().split("\n");
      expect(parts.reduce((sum, line) => sum + Number.parseInt(line, 10), 0)).toBe(100);
      await until("all are stored", async () => (await stored(3)).n === 100);
      if (withoutNode() !== null) return console.log(`Node.js is left out: ${withoutNode()}`);
      await rm(join(project, "press-7-spool"), { recursive: true });
      await run(withKey("node", "press.mjs"), project);
      await until("all are stored", async () => (await stored(5)).n === 100);
    },
    DEADLINE_MS,
  );

  const withoutPython =
    Bun.which("python3") === null
      ? "there is no python3"
      : Bun.spawnSync(["python3", "-c", "import requests"]).success
        ? null
        : "python3 has no requests: pip install requests";
  test.skipIf(withoutPython !== null)(
    `Python${withoutPython === null ? "" : ` (left out: ${withoutPython})`}`,
    async () => {
      await Bun.write(join(folder, "press.py"), only("Python", "python"));
      expect(await run(withKey("python3", "press.py"), folder)).toBe("completed 100\n");
      expect(await stored(4)).toEqual({ n: 100, unit: "rpm" });
    },
    DEADLINE_MS,
  );
});

describe("Telegraf as docs/integrate.md configures it", () => {
  const without = Bun.which("telegraf") === null ? "there is no telegraf on PATH" : null;

  test.skipIf(without !== null)(
    `registers its sensors and stores their readings${without === null ? "" : ` (left out: ${without})`}`,
    async () => {
      await Bun.write(join(folder, "telegraf.conf"), only("Telegraf", "toml"));
      await shell(only("Telegraf", "sh"));
      const rows = await until("both fields are stored", async () => {
        const found = await stack.reckoning.sql<{ name: string; value: number; unit: string }[]>`
          SELECT s.name, d.value, d.unit FROM diagnostics_sensordata d JOIN diagnostics_sensor s ON s.id = d.sensor_id
          WHERE s.name LIKE 'press %' ORDER BY s.name`;
        return found.length === 2 && found;
      });
      expect([...rows]).toEqual([
        { name: "press return", value: 2.25, unit: "bar" },
        { name: "press supply", value: 118.5, unit: "bar" },
      ]);
    },
    DEADLINE_MS,
  );

  test("writes what its plug-in for InfluxDB 2 would: the line of the page", async () => {
    const [, line] = /echo '([^']+)'/.exec(only("Telegraf", "sh"))!;
    const [, bucket] = /bucket = "([^"]+)"/.exec(only("Telegraf", "toml"))!;
    const answer = await fetch(`${stack.url}/api/v2/write?org=ignored&bucket=${bucket}&precision=ns`, {
      method: "POST",
      headers: { Authorization: `Token ${api_key}` },
      body: `${line} ${Date.now()}000000`,
    });
    expect(answer.status).toBe(204);
  });
});

describe("the Node-RED flow", () => {
  type Message = Record<string, unknown> & { headers?: Record<string, string> };
  interface FlowNode {
    readonly id: string;
    readonly name: string;
    readonly type: string;
    readonly func: string;
    readonly wires?: string[][];
  }
  let flow: FlowNode[];
  const errors: string[] = [];
  beforeAll(async () => {
    flow = await Bun.file(join(DOCS, "examples/node-red-flow.json")).json();
  });

  /** Runs a function node as Node-RED does. */
  function call(name: string, msg: Message): Message | (Message | null)[] {
    const { func } = flow.find((node) => node.type === "function" && node.name === name)!;
    const settings: Record<string, string> = { HYDRAULIC_URL: stack.url, HYDRAULIC_API_KEY: api_key };
    const env = { get: (key: string) => settings[key] };
    const RED = { util: { generateId: () => crypto.randomUUID().slice(0, 16) } };
    const node = { error: (text: string) => errors.push(text) };
    return new Function("msg", "env", "RED", "node", func)(msg, env, RED, node);
  }

  async function send(msg: Message): Promise<Message> {
    const { method, url, headers, payload } = call("request", msg) as Message;
    const body = JSON.stringify(payload);
    const response = await fetch(String(url), { method: String(method), headers: headers!, body });
    const answered = { statusCode: response.status, headers: Object.fromEntries(response.headers) };
    return { ...msg, ...answered, payload: await response.text() };
  }

  test("is wired so that every answer goes somewhere", () => {
    const ids = new Set(flow.map(({ id }) => id));
    for (const { wires = [] } of flow) for (const to of wires.flat()) expect(ids).toContain(to);
    expect(flow.find(({ name }) => name === "answer")!.wires!.every((to) => to.length === 1)).toBe(true);
  });

  test("sends a batch once, however often it comes again", async () => {
    const { payload } = call("reading", {}) as Message;
    const batch = call("batch", { payload: [payload] }) as Message;
    const first = await send(batch);
    const again = await send({ ...batch, ...first });
    expect(first.statusCode).toBe(202);
    expect(again).toMatchObject({ statusCode: 202, headers: { "idempotent-replayed": "true" } });
    expect(call("answer", first)).toEqual([first, null, null]);
  });

  test.each([
    ["no answer", { statusCode: "ECONNREFUSED" }, 0, 2000],
    ["503", { statusCode: 503, headers: {} }, 0, 2000],
    ["429 with Retry-After", { statusCode: 429, headers: { "retry-after": "7" } }, 7000, 7000],
    ["409 while the key is in flight", { statusCode: 409, headers: { "retry-after": "1" } }, 1000, 1000],
  ])("waits after %s and sends again", (_name, answered, least_ms, most_ms) => {
    const [accepted, again, given_up] = call("answer", { attempt: 2, ...answered }) as (Message | null)[];
    expect([accepted, given_up]).toEqual([null, null]);
    expect(again).toMatchObject({ attempt: 3 });
    expect(again!.delay).toBeWithin(least_ms, most_ms + 1);
  });

  test.each([
    ["a refusal", { statusCode: 400, headers: {}, attempt: 0 }],
    ["too many attempts", { statusCode: 503, headers: {}, attempt: 100 }],
  ])("gives a batch up after %s, and says so", (_name, answered) => {
    errors.length = 0;
    const outputs = call("answer", { payload: "why", ...answered }) as (Message | null)[];
    expect(outputs.slice(0, 2)).toEqual([null, null]);
    expect(outputs[2]).not.toBeNull();
    expect(errors).toEqual([expect.stringContaining("given up")]);
  });
});

describe("Grafana's role", () => {
  let sql: postgres.Sql;
  const statements = (label: string) =>
    blocks
      .filter(({ section, label: own }) => section === "Grafana" && own === label)
      .map(({ text }) => text);
  const context = {
    from: new Date(Date.now() - 3_600_000),
    to: new Date(Date.now() + 3_600_000),
    interval_s: 30,
    system: SYSTEM,
    sensors: [1, 2, 3].map((n) => `550e8400-e29b-41d4-a716-44665544000${n}`),
  };
  const panel = (text: string) => sql.unsafe(asGrafanaSends(text, context));

  beforeAll(async () => {
    const [role] = statements("role");
    await stack.reckoning.sql.unsafe(role!);
    const url = new URL(stack.urls.database);
    url.username = "grafana";
    url.password = "change me";
    sql = postgres(url.href, { max: 1, onnotice: () => undefined });
    const token = await stack.login();
    const timestamp = new Date().toISOString();
    const bad = { sensor_id: context.sensors[0], timestamp, value: 900, unit: "bar" };
    const sent = await fetch(`${stack.url}/api/v1/data/ingest`, {
      method: "POST",
      headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
      body: JSON.stringify({ system_id: SYSTEM, readings: [bad] }),
    });
    expect(sent.status).toBe(202);
    await until("it is refused", async () => {
      const [row] = await stack.reckoning.sql`SELECT 1 FROM diagnostics_quarantined_reading`;
      return row !== undefined;
    });
  });
  afterAll(async () => {
    await sql.end();
    await stack.reckoning.sql.unsafe("DROP OWNED BY grafana; DROP ROLE grafana");
  });

  test("fills the variables of a dashboard", async () => {
    const [systems, sensors] = await Promise.all(statements("variable").map(panel));
    expect(systems).toEqual([expect.objectContaining({ __value: SYSTEM })] as never);
    expect(sensors!.map(({ __text }) => __text)).toContainEqual(expect.stringMatching(/\(bar\)$/));
  });

  test("runs the statement of every panel, and each finds something", async () => {
    const panels = statements("panel");
    expect(panels).toHaveLength(5);
    for (const text of panels)
      expect({ text, rows: (await panel(text)).length }).not.toMatchObject({ rows: 0 });
    const [curves] = panels;
    const rows = await panel(curves!);
    expect(rows[0]).toMatchObject({
      time: expect.any(Date),
      metric: expect.any(String),
      value: expect.any(Number),
    });
  });

  test("reads neither accounts nor keys, and changes nothing", async () => {
    for (const table of ["diagnostics_user", "diagnostics_audit"]) {
      expect(await codeOf(sql`SELECT 1 FROM ${sql(table)}`)).toBe("42501");
    }
    expect(await codeOf(sql`DELETE FROM diagnostics_sensordata`)).toBe("25006");
    const forced = sql.begin("read write", (tx) => tx`DELETE FROM diagnostics_sensordata`);
    expect(await codeOf(forced)).toBe("42501");
  });

  async function codeOf(work: PromiseLike<unknown>): Promise<string> {
    return Promise.resolve(work).then(
      () => "it succeeded",
      (error: { code?: string }) => error.code ?? String(error),
    );
  }
});
