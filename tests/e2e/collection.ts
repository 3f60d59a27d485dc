/**
 * The Postman collection (format 2.1.0, schema.getpostman.com), made from the OpenAPI document: a folder "Story"
 * whose requests follow each other, and one folder for each tag with every operation and its example.
 */
import {
  type OpenApiDocument,
  type ParameterObject,
  type Route,
  routesOf,
} from "../support/contract/document.ts";
import { STORY, type Step } from "./story.ts";

export const STORY_FOLDER = "Story";
const FORMAT = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json";

/** Variables and what they are before the story sets them. */
const VARIABLES: Readonly<Record<string, string>> = {
  baseUrl: "http://127.0.0.1:8000",
  username: "admin",
  password: "password",
  token: "",
  system_id: "550e8400-e29b-41d4-a716-446655440000",
  sensor_id: "550e8400-e29b-41d4-a716-446655440001",
  job_id: "0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a00",
  reading_id: "1",
};

/** @returns the collection as a value for JSON */
export function makeCollection(document: OpenApiDocument) {
  const routes = routesOf(document);
  const byOperation = new Map(routes.map((route) => [route.operation.operationId, route]));
  const steps = STORY.map((step, i) => {
    const route = byOperation.get(step.operation);
    if (!route) throw new Error(`the document has no operation ${step.operation}`);
    return storyItem(`${i + 1}. ${step.name}`, step, route);
  });
  const folders = document.tags.map(({ name, description }) => ({
    name,
    description,
    item: routes.filter(({ operation }) => operation.tags?.includes(name)).map(referenceItem),
  }));
  return {
    info: {
      name: `${document.info.title} ${document.info.version}`,
      description: `${document.info.description} Run the folder "${STORY_FOLDER}" from top to bottom; then any other request works with what it left in the variables.`,
      schema: FORMAT,
    },
    auth: bearer("{{token}}"),
    variable: Object.entries(VARIABLES).map(([key, value]) => ({ key, value })),
    item: [
      {
        name: STORY_FOLDER,
        description: "From the log-in to the record of a decision; works on any installation, as an admin.",
        item: steps,
      },
      ...folders,
    ],
  };
}

const bearer = (token: string) => ({
  type: "bearer",
  bearer: [{ key: "token", value: token, type: "string" }],
});
const script = (listen: "prerequest" | "test", exec: readonly string[]) => ({
  listen,
  script: { type: "text/javascript", exec },
});

/** A busy account is limited: the step is sent again when the service says so. Waits at most, for one step. */
const WAITS = 3;

function storyItem(name: string, step: Step, { method, path, operation }: Route) {
  const { status, isNeeded, after = [] } = step;
  const met = `pm.response.code === ${status}`;
  const checks = [
    'const waits = Number(pm.collectionVariables.get("waits") || 0);',
    `if (pm.response.code === 429 && waits < ${WAITS}) {`,
    '  pm.collectionVariables.set("waits", waits + 1);',
    "  pm.execution.setNextRequest(pm.info.requestId);",
    '  setTimeout(() => {}, 1000 * Number(pm.response.headers.get("Retry-After") || 1));',
    "} else {",
    '  pm.collectionVariables.set("waits", 0);',
    `  pm.test("answers ${status}", () => { pm.expect(pm.response.code, pm.response.text() || "no answer").to.equal(${status}); });`,
    ...(isNeeded ? [`  if (!(${met})) pm.execution.setNextRequest(null);`] : []),
    `  if (${met}) {`,
    "    const body = pm.response.json();",
    ...after.map((line) => `    ${line}`),
    "  }",
    "}",
  ];
  return {
    name,
    event: [...(step.before ? [script("prerequest", step.before)] : []), script("test", checks)],
    request: {
      method: method.toUpperCase(),
      ...(step.token === undefined ? {} : { auth: step.token ? bearer(step.token) : { type: "noauth" } }),
      header: headers({
        ...(step.body === undefined ? {} : { "Content-Type": "application/json" }),
        ...step.headers,
      }),
      url: url(path, step.query ?? {}, []),
      ...(step.body === undefined ? {} : jsonBody(step.body)),
      description: operation.description ?? operation.summary ?? "",
    },
  };
}

function referenceItem({ method, path, operation }: Route) {
  const parameters = operation.parameters ?? [];
  const [media, content] = Object.entries(operation.requestBody?.content ?? {})[0] ?? [];
  const example = content?.example ?? Object.values(content?.examples ?? {})[0]?.value;
  const statuses = Object.keys(operation.responses).map(Number);
  return {
    name: operation.summary ?? operation.operationId,
    event: [
      script("test", [
        `pm.test("answers as documented", () => { pm.expect(pm.response.code).to.be.oneOf(${JSON.stringify(statuses)}); });`,
      ]),
    ],
    request: {
      method: method.toUpperCase(),
      ...((operation.security ?? []).length === 0 ? { auth: { type: "noauth" } } : {}),
      header: [...headers(media ? { "Content-Type": media } : {}), ...offeredHeaders(parameters)],
      url: url(path, {}, parameters),
      ...(media?.includes("json") && example !== undefined
        ? jsonBody(example)
        : example === undefined
          ? {}
          : { body: { mode: "raw", raw: String(example) } }),
      description: operation.description ?? operation.summary ?? "",
    },
  };
}

const headers = (given: Readonly<Record<string, string>>) =>
  Object.entries(given).map(([key, value]) => ({ key, value }));

/** There to be switched on. */
const offeredHeaders = (parameters: readonly ParameterObject[]) =>
  parameters
    .filter((parameter) => parameter.in === "header" && !NOT_OFFERED.has(parameter.name))
    .map(({ name, description = "", example }) => ({
      key: name,
      value: String(example ?? ""),
      description,
      disabled: true,
    }));
/** Postman's bodies are not compressed. */
const NOT_OFFERED = new Set(["Content-Encoding"]);

/** Values of JSON that are nothing but a variable and stand for a number lose their quotes. */
function jsonBody(value: unknown) {
  const raw = JSON.stringify(value, null, 2).replace(/"(\{\{reading_id\}\})"/g, "$1");
  return { body: { mode: "raw", raw, options: { raw: { language: "json" } } } };
}

/** Optional parameters of the query are there to be switched on; those of the path are variables. */
function url(path: string, query: Readonly<Record<string, string>>, parameters: readonly ParameterObject[]) {
  const filled = path.replace(/\{(\w+)\}/g, (_all, name: string) => `{{${variableOf(name, path)}}}`);
  const given = Object.entries(query).map(([key, value]) => ({ key, value }));
  const offered = parameters
    .filter((parameter) => parameter.in === "query")
    .map(({ name, description = "", required, schema, example }) => ({
      key: name,
      value: String(example ?? schema?.default ?? (name in VARIABLES ? `{{${name}}}` : "")),
      description,
      ...(required ? {} : { disabled: true }),
    }));
  const list = [...given, ...offered];
  const active = list.filter((entry) => !("disabled" in entry)).map(({ key, value }) => `${key}=${value}`);
  return {
    raw: `{{baseUrl}}${filled}${active.length > 0 ? `?${active.join("&")}` : ""}`,
    host: ["{{baseUrl}}"],
    path: filled.slice(1).split("/"),
    ...(list.length > 0 ? { query: list } : {}),
  };
}

const variableOf = (name: string, path: string) =>
  name === "id" && path.startsWith("/api/v1/quarantine") ? "reading_id" : name;
