/** The package that `npm run pack:client` makes, in a project of its own: on Node.js, on Bun, and under TypeScript. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { consumerProject, run, withoutNode } from "../../support/client-programs.ts";
import { Stack } from "../../support/stack.ts";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const TYPES = join(ROOT, "node_modules/@types");
const DEADLINE_MS = 180_000;

let stack: Stack;
let folder: string;
let project: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "hydraulic-package-"));
  project = await consumerProject(folder);
  stack = await Stack.create();
  await stack.start("all");
}, DEADLINE_MS);
afterAll(async () => {
  await stack.close();
  await rm(folder, { recursive: true });
});

/** Sends three readings, one by name and one beyond its range, and prints what became of them. */
const program = (url: string, sensor: number) => `
import { HydraulicClient } from "hydraulic-ingest/client";
const jobs = [];
const client = new HydraulicClient({
  url: ${JSON.stringify(url)},
  auth: { username: "feeder-1", password: "password" },
  system_id: "550e8400-e29b-41d4-a716-446655440000",
  acknowledge: "committed",
  spool: { folder: "spool-${sensor}" },
  onEnded: (_batch, job) => jobs.push(job),
});
const sensor_id = "550e8400-e29b-41d4-a716-44665544000${sensor}";
await client.write({ sensor_id, timestamp: new Date(), value: 125.5, unit: "bar" });
await client.write({ sensor_id, timestamp: new Date(Date.now() - 1000), value: 900, unit: "bar" });
await client.write({ sensor: "oil filter ${sensor}", timestamp: new Date(), value: 3, unit: "bar" });
await client.close();
// More than one where the machine was so slow that a batch was sent before all was written.
const sum = (name) => jobs.reduce((all, job) => all + job[name], 0);
console.log(JSON.stringify({
  inserted_readings: sum("inserted_readings"),
  quarantined_readings: sum("quarantined_readings"),
}));
`;

describe("the client's package", () => {
  const stored = { inserted_readings: 2, quarantined_readings: 1 };

  test("brings nothing but itself", async () => {
    const manifest = await Bun.file(join(project, "node_modules/hydraulic-ingest/package.json")).json();
    expect(manifest).toMatchObject({ name: "hydraulic-ingest", type: "module" });
    expect(manifest.dependencies).toBeUndefined();
  });

  test.skipIf(withoutNode() !== null)(
    `runs on Node.js${withoutNode() === null ? "" : ` (left out: ${withoutNode()})`}`,
    async () => {
      await Bun.write(join(project, "node.mjs"), program(stack.url, 5));
      expect(JSON.parse(await run(["node", "node.mjs"], project))).toEqual(stored);
    },
    DEADLINE_MS,
  );

  test(
    "runs on Bun, from the package and from this checkout",
    async () => {
      await Bun.write(join(project, "bun.ts"), program(stack.url, 6));
      expect(JSON.parse(await run([process.execPath, "bun.ts"], project))).toEqual(stored);
      const linked = join(folder, "linked");
      await Bun.write(join(linked, "bun.ts"), program(stack.url, 7));
      await Bun.write(join(linked, "node_modules/.keep"), "");
      await symlink(ROOT, join(linked, "node_modules/hydraulic-ingest"));
      expect(JSON.parse(await run([process.execPath, "bun.ts"], linked))).toEqual(stored);
    },
    DEADLINE_MS,
  );

  test.each(["nodenext", "bundler"])(
    "has types for a project that resolves modules as %s does",
    async (resolution) => {
      await Bun.write(join(project, "good.ts"), TYPED);
      const unnamed = TYPED.replace('sensor: "s"', 'unit: "bar"');
      await Bun.write(join(project, "bad.ts"), TYPED.replace('unit: "bar"', "unit: 5"));
      await Bun.write(join(project, "unnamed.ts"), unnamed);
      const module = resolution === "bundler" ? "esnext" : "nodenext";
      const flags = ["--noEmit", "--strict", "--target", "es2022", "--types", "node", "--typeRoots", TYPES];
      const tsc = [process.execPath, join(ROOT, "node_modules/.bin/tsc"), ...flags];
      const resolved = [...tsc, "--module", module, "--moduleResolution", resolution];
      await run([...resolved, "good.ts"], project);
      const refused = await run([...resolved, "bad.ts"], project).catch((error: Error) => error.message);
      expect(refused).toContain("Type 'number' is not assignable to type 'string'");
      await expect(run([...resolved, "unnamed.ts"], project)).rejects.toThrow("Property 'sensor' is missing");
    },
    DEADLINE_MS,
  );
});

const TYPED = `
import { type ClientOptions, HydraulicClient, type Job, type Reading } from "hydraulic-ingest/client";
const options: ClientOptions = { url: "http://127.0.0.1:8000", auth: { apiKey: "k" } };
export const reading: Reading = { sensor_id: "s", timestamp: new Date(), value: 1, unit: "bar" };
export const named: Reading = { sensor: "s", timestamp: "2026-01-01T00:00:00Z", value: 1 };
export const job: Promise<Job> = new HydraulicClient(options).waitForJob("j", { deadline_ms: 1000 });
`;
