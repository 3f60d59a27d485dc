/** The OpenAPI document says what the service does, and the page at /docs needs nothing from elsewhere. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createConfig, lintFromString } from "@redocly/openapi-core";
import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { PROBLEMS, type ProblemName } from "../../../src/contract/problem.ts";
import { ApiBench, type TestApi } from "../../support/api.ts";
import { type OpenApiDocument, routesOf } from "../../support/contract/document.ts";

interface Operation {
  operationId?: string;
  security?: unknown[];
  requestBody?: { content: Record<string, { schema: unknown; example?: unknown }> };
  responses: Record<
    string,
    { headers?: Record<string, unknown>; content?: Record<string, { examples?: object }> }
  >;
}
interface Document {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, unknown>; securitySchemes: Record<string, unknown> };
}

let bench: ApiBench;
let api: TestApi;
let document: Document;
const ajv = new Ajv2020({ strict: false, allErrors: true });
beforeAll(async () => {
  bench = await ApiBench.create();
  api = await bench.start();
  document = (await (await api.fetch("/openapi.json")).json()) as Document;
  addFormats.default(ajv);
  ajv.addSchema({ $id: "openapi", components: document.components });
});
afterAll(() => bench.close());

const operation = (method: string, path: string) => document.paths[path]?.[method] as Operation;
const problemsIn = (op: Operation) =>
  Object.values(op.responses).flatMap((r) =>
    Object.keys(r.content?.["application/problem+json"]?.examples ?? {}),
  );

/** Every `$ref` and `$id` anywhere in a value. */
function collect(value: unknown, key: "$ref" | "$id", into: string[] = []): string[] {
  if (typeof value !== "object" || value === null) return into;
  for (const [name, inner] of Object.entries(value)) {
    if (name === key && typeof inner === "string") into.push(inner);
    else collect(inner, key, into);
  }
  return into;
}

/** What is wrong with the examples of a body, by the schemas of this document. */
function exampleFaults(
  where: string,
  content: { schema?: object; example?: unknown; examples?: Record<string, { value: unknown }> | object },
): string[] {
  const values = [
    ...("example" in content ? [content.example] : []),
    ...Object.values(content.examples ?? {}).map((example: { value: unknown }) => example.value),
  ];
  if (values.length === 0) return [`${where} has no example`];
  const text = JSON.stringify(content.schema ?? {}).replaceAll('"#/components', '"openapi#/components');
  const validate = ajv.compile(JSON.parse(text));
  return values.flatMap((value) => (validate(value) ? [] : [`${where}: ${ajv.errorsText(validate.errors)}`]));
}

/** Nothing that a client sends can make these answer with 4xx. */
const ALWAYS_GOOD = ["/livez", "/readyz", "/health", "/metrics", "/openapi.json"].map(
  (path) => `#/paths/${path.replaceAll("/", "~1")}/get/responses`,
);

test("has patterns that any engine with Unicode reads, and no others", () => {
  const patterns = new Set<string>();
  const find = (value: unknown, name = ""): void => {
    if (name === "pattern" && typeof value === "string") patterns.add(value);
    if (typeof value !== "object" || value === null) return;
    if (name === "patternProperties") for (const pattern of Object.keys(value)) patterns.add(pattern);
    for (const [key, inner] of Object.entries(value)) find(inner, key);
  };
  find(document);
  expect(patterns.size).toBeGreaterThan(5);
  for (const pattern of patterns) {
    expect(() => new RegExp(pattern, "u")).not.toThrow();
    // Surrogates and looks behind are not in every engine.
    expect(pattern).not.toMatch(/\\ud[89a-f]|\(\?</i);
  }
});

describe("the OpenAPI document", () => {
  test("passes every recommended rule of a linter, each as an error", async () => {
    const config = await createConfig({ extends: ["recommended-strict"] });
    const found = await lintFromString({
      source: JSON.stringify(document),
      absoluteRef: "/openapi.json",
      config,
    });
    const objections = found
      .map(({ ruleId, message, location }) => ({ ruleId, message, pointer: location[0]?.pointer ?? "" }))
      .filter(({ ruleId, pointer }) => ruleId !== "operation-4xx-response" || !ALWAYS_GOOD.includes(pointer));
    expect(objections).toEqual([]);
  });

  test("is version 3.1, and every reference in it has a target", () => {
    expect(document.openapi).toStartWith("3.1");
    const refs = collect(document, "$ref");
    expect(refs.length).toBeGreaterThan(10);
    for (const ref of new Set(refs)) {
      expect(Object.keys(document.components.schemas)).toContain(ref.replace("#/components/schemas/", ""));
    }
    expect(collect(document, "$id")).toEqual([]);
  });

  test("has every route of the app but the page and its files", () => {
    const served = api.app.routes
      .filter((r) => r.method !== "ALL" && !r.path.startsWith("/docs"))
      .map((r) => `${r.method.toLowerCase()} ${r.path.replace(/:(\w+)/g, "{$1}")}`);
    for (const route of new Set(served)) {
      const [method = "", path = ""] = route.split(" ");
      expect(operation(method, path)?.operationId, route).toBeString();
    }
  });

  test.each([
    [
      "post",
      "/api/v1/data/ingest",
      ["200", "202", "400", "401", "403", "404", "408", "409", "413", "415", "422", "429", "500", "503"],
    ],
    ["post", "/api/v1/auth/login", ["200", "400", "401", "408", "413", "415", "429", "500", "503"]],
    ["get", "/api/v1/jobs/{job_id}", ["200", "400", "401", "403", "404", "500", "503"]],
  ])("lists every status of %s %s, each with a schema and the request id", (method, path, statuses) => {
    const { responses } = operation(method, path);
    expect(Object.keys(responses).sort()).toEqual(statuses);
    for (const [status, response] of Object.entries(responses)) {
      expect(Object.keys(response.headers ?? {})).toContain("X-Request-Id");
      const media = Number(status) < 400 ? "application/json" : "application/problem+json";
      expect(response.content?.[media], status).toBeDefined();
    }
  });

  test("explains every operation and every parameter, and every body has an example that fits its schema", () => {
    const faults = routesOf(document as unknown as OpenApiDocument).flatMap(
      ({ method, path, operation: op }) => {
        const where = `${method} ${path}`;
        const bodies = [op.requestBody, ...Object.values(op.responses)].flatMap((body) =>
          Object.entries(body?.content ?? {}),
        );
        return [
          ...(op.description ? [] : [`${where} is not described`]),
          ...(op.parameters ?? [])
            .filter((p) => !p.description)
            .map((p) => `${where}: ${p.name} is not described`),
          ...bodies.flatMap(([media, content]) => exampleFaults(`${where} ${media}`, content)),
        ];
      },
    );
    expect(faults).toEqual([]);
  });

  test("lists the request headers that go with an answer of 304, with a body, and with every request", () => {
    for (const { operation: op } of routesOf(document as unknown as OpenApiDocument)) {
      const headers = (op.parameters ?? []).filter((p) => p.in === "header").map(({ name }) => name);
      expect(headers).toContain("X-Request-Id");
      expect([op.operationId, headers.includes("If-None-Match")]).toEqual([
        op.operationId,
        "304" in op.responses,
      ]);
      expect([op.operationId, headers.includes("Content-Encoding")]).toEqual([
        op.operationId,
        op.requestBody !== undefined,
      ]);
      expect(new Set(headers).size).toBe(headers.length);
    }
  });

  test("names every type of problem at the operation that gives it, under the type's own status", () => {
    const named = new Set(Object.values(document.paths).flatMap((p) => Object.values(p).flatMap(problemsIn)));
    const ofNoOperation: ProblemName = "method-not-allowed";
    expect([...named, ofNoOperation].sort()).toEqual((Object.keys(PROBLEMS) as ProblemName[]).sort());
    for (const op of Object.values(document.paths).flatMap((p) => Object.values(p))) {
      for (const [status, response] of Object.entries(op.responses)) {
        for (const name of Object.keys(response.content?.["application/problem+json"]?.examples ?? {})) {
          expect(String(PROBLEMS[name as ProblemName].status)).toBe(status);
        }
      }
    }
  });

  test("asks for the bearer token exactly where the service does", () => {
    expect(document.components.securitySchemes).toMatchObject({
      bearer: { type: "http", scheme: "bearer", bearerFormat: "JWT" },
      session: { type: "apiKey", in: "cookie", name: "hydraulic_session" },
      key: { type: "apiKey", in: "header", name: "X-Api-Key" },
    });
    const either = [{ bearer: [] }, { session: [] }, { key: [] }];
    expect(operation("post", "/api/v1/data/ingest").security).toEqual(either);
    expect(operation("get", "/api/v1/jobs/{job_id}").security).toEqual(either);
    expect(operation("post", "/api/v1/auth/login").security).toEqual([]);
  });

  test("has examples that the service takes", async () => {
    const batch = operation("post", "/api/v1/data/ingest").requestBody?.content["application/json"]?.example;
    const { token } = await api.tokenFor("producer");
    expect((await api.ingest(token, JSON.stringify(batch))).status).toBe(202);
  });
});

describe("/docs", () => {
  test("loads only files of this service, and each of them exists with its type", async () => {
    const response = await api.fetch("/docs");
    const html = await response.text();
    const policy = response.headers.get("Content-Security-Policy") ?? "";
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toMatch(/unsafe|https?:|\*/);
    const files = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, file]) => file ?? "");
    expect(files.length).toBeGreaterThan(3);
    expect(html).not.toMatch(/<script>|https?:\/\//);
    for (const file of files) {
      expect(file).toStartWith("/");
      const answer = await api.fetch(file);
      expect(answer.status).toBe(200);
      expect((await answer.arrayBuffer()).byteLength).toBeGreaterThan(0);
      const type = { css: "text/css", js: "text/javascript", png: "image/png" }[file.split(".").at(-1) ?? ""];
      if (type) expect(answer.headers.get("Content-Type")).toStartWith(type);
    }
  });
});
