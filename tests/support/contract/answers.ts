/**
 * Holds the service's answers against its own OpenAPI document: the status, the media type, the headers and the
 * body must all be written there. Objects are closed for this, so that a field that the document does not have is
 * found too.
 */
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { type OpenApiDocument, type ResponseObject, type Route, routesOf } from "./document.ts";

/** Headers that say something about this service; the others are HTTP's own or have their own tests. */
const OURS =
  /^(x-request-id|location|retry-after|etag|link|allow|www-authenticate|set-cookie|ratelimit(-.*)?|idempotent-replayed|preference-applied|accept|accept-encoding|content-location|content-disposition)$/;
const JSON_MEDIA = /^application\/(?:problem\+|vnd\.hydraulic\.columns\+)?json$/;
/** The schema is that of each line. */
const LINES_MEDIA = "application/x-ndjson";
/** Of a long export. */
const LOOKED_AT_LINES = 1000;
/** Pages and their files, which are no part of the API. */
const PAGES = /^\/(docs|console)(\/|$)/;

/** An answer that the document does not allow. */
export class ContractError extends Error {
  override readonly name = "ContractError";
}

export class AnswerCheck {
  readonly #routes: readonly (Route & { readonly pattern: RegExp })[];
  readonly #ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: true });
  readonly #compiled = new Map<object, ValidateFunction>();

  constructor(document: OpenApiDocument) {
    addFormats.default(this.#ajv);
    this.#ajv.addSchema({ $id: "openapi", components: closed(document.components) as object });
    this.#routes = routesOf(document).map((route) => ({ ...route, pattern: patternOf(route.path) }));
  }

  /** @throws {ContractError} saying what the document does not allow */
  async check(method: string, address: string, response: Response): Promise<void> {
    const { pathname } = new URL(address, "http://x");
    if (PAGES.test(pathname)) return;
    const path = pathname.replace(/(.)\/$/, "$1");
    // The more literal template wins, as `/quarantine/actions` over `/quarantine/{id}`.
    const fitting = this.#routes
      .filter(({ pattern }) => pattern.test(path))
      .sort((a, b) => a.path.split("{").length - b.path.split("{").length);
    const wanted = method.toLowerCase() === "head" ? "get" : method.toLowerCase();
    const route = fitting.find((r) => r.method === wanted);
    const objections = route
      ? await this.#objections(route, method, response)
      : [404, 405].includes(response.status)
        ? []
        : ["the document has no such operation"];
    if (objections.length === 0) return;
    throw new ContractError(
      `${method} ${pathname} answered ${response.status} against the document: ${objections.join("; ")}`,
    );
  }

  async #objections({ operation }: Route, method: string, response: Response): Promise<string[]> {
    const documented = operation.responses[String(response.status)];
    if (!documented) return ["the status is not documented"];
    const headers = Object.keys(documented.headers ?? {}).map((name) => name.toLowerCase());
    const objections = [...response.headers.keys()]
      .filter((name) => OURS.test(name) && !headers.includes(name))
      .map((name) => `the header ${name} is not documented`);
    for (const [name, header] of Object.entries(documented.headers ?? {})) {
      const text = response.headers.get(name);
      if (text === null || !header.schema) continue;
      const type = (header.schema as { type?: string }).type;
      const value = type === "integer" || type === "number" ? Number(text) : text;
      objections.push(...this.#faults(header.schema, value).map((fault) => `header ${name} ${fault}`));
    }
    if (method.toUpperCase() !== "HEAD") objections.push(...(await this.#body(documented, response)));
    return objections;
  }

  async #body(documented: ResponseObject, response: Response): Promise<string[]> {
    const media = response.headers.get("Content-Type")?.split(";")[0]?.trim().toLowerCase();
    if (!documented.content) {
      return response.body && media !== undefined ? ["the document has no body here"] : [];
    }
    const content = media === undefined ? undefined : documented.content[media];
    if (!content) return [`the media type ${media} is not documented`];
    if (!content.schema) return [];
    if (JSON_MEDIA.test(media ?? "")) return this.#faults(content.schema, await response.clone().json());
    if (media !== LINES_MEDIA) return [];
    const { schema } = content;
    const lines = (await response.clone().text()).split("\n").filter((line) => line !== "");
    return lines.slice(0, LOOKED_AT_LINES).flatMap((line) => this.#faults(schema, JSON.parse(line)));
  }

  #faults(schema: object, value: unknown): string[] {
    let validate = this.#compiled.get(schema);
    if (!validate) {
      validate = this.#ajv.compile(closed(withAbsoluteReferences(schema)) as object);
      this.#compiled.set(schema, validate);
    }
    if (validate(value)) return [];
    return (validate.errors ?? [])
      .slice(0, 5)
      .map(
        ({ instancePath, message, params }) => `${instancePath || "/"} ${message} ${JSON.stringify(params)}`,
      );
  }
}

function patternOf(template: string): RegExp {
  const parts = template.split(/\{[^}]+\}/).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join("[^/]+")}$`);
}

function withAbsoluteReferences(schema: unknown): unknown {
  return mapped(schema, (object) =>
    typeof object.$ref === "string" && object.$ref.startsWith("#/")
      ? { ...object, $ref: `openapi${object.$ref}` }
      : object,
  );
}

/** Objects with named properties take no others, unless they say so or are parts of one (allOf). */
function closed(schema: unknown): unknown {
  return mapped(schema, (object, inAllOf) =>
    object.type === "object" &&
    object.properties !== undefined &&
    object.additionalProperties === undefined &&
    object.patternProperties === undefined &&
    !inAllOf
      ? { ...object, additionalProperties: false }
      : object,
  );
}

type SchemaMap = (object: Record<string, unknown>, inAllOf: boolean) => Record<string, unknown>;
function mapped(schema: unknown, change: SchemaMap, inAllOf = false): unknown {
  if (Array.isArray(schema)) return schema.map((item) => mapped(item, change, inAllOf));
  if (typeof schema !== "object" || schema === null) return schema;
  const entries = Object.entries(schema).map(([key, value]) =>
    ["example", "examples", "default", "const", "enum"].includes(key)
      ? [key, value]
      : [key, mapped(value, change, key === "allOf")],
  );
  return change(Object.fromEntries(entries), inAllOf);
}
