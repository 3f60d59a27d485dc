/** The operations of the service's own document, as a hostile client reads it. */
import type { Chance } from "../../src/feed/simulate/chance.ts";

export interface HostileRoute {
  readonly operation: string;
  /** Capital letters. */
  readonly method: string;
  /** With parameters in braces. */
  readonly path: string;
  /** Names of its query parameters and of its own headers. */
  readonly query: readonly string[];
  readonly headers: readonly string[];
  /** Asks nobody who they are. */
  readonly isPublic: boolean;
  readonly body: RouteBody | null;
}

export interface RouteBody {
  readonly media: string;
  /** A good one. */
  readonly example: Buffer;
  /** Of a JSON object; empty: any object may be good. */
  readonly required: readonly string[];
}

interface Media {
  readonly schema?: { readonly $ref?: string; readonly required?: readonly string[] };
  readonly example?: unknown;
}
interface Operation {
  readonly operationId: string;
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
  readonly security?: readonly object[];
  readonly requestBody?: { readonly content: Readonly<Record<string, Media>> };
}
interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, { readonly required?: readonly string[] }>>;
  };
}

/** Every operation, in the order of the document. */
export function routesOf(document: unknown): HostileRoute[] {
  const { paths, components } = document as Document;
  return Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]): HostileRoute => {
      const named = (place: string) =>
        (operation.parameters ?? []).filter((one) => one.in === place).map(({ name }) => name);
      return {
        operation: operation.operationId,
        method: method.toUpperCase(),
        path,
        query: named("query"),
        headers: named("header"),
        isPublic: (operation.security ?? []).length === 0,
        body: bodyOf(operation, components),
      };
    }),
  );
}

function bodyOf({ requestBody }: Operation, { schemas }: Document["components"]): RouteBody | null {
  const [first] = Object.entries(requestBody?.content ?? {});
  if (first === undefined) return null;
  const [media, { schema, example }] = first;
  const named = schema?.$ref === undefined ? schema : schemas[schema.$ref.split("/").at(-1)!];
  const text = typeof example === "string" ? example : JSON.stringify(example ?? {});
  return { media, example: Buffer.from(text), required: named?.required ?? [] };
}

/** The path with an id of nothing in every place. */
export function pathTo({ path }: HostileRoute, chance: Chance): string {
  return path.replace(/\{(\w+)\}/g, (_, name: string) =>
    name === "partition"
      ? "0"
      : name === "entry"
        ? `${chance.below(1e9)}-0`
        : name === "id"
          ? "999999999"
          : uuid(chance),
  );
}

export function uuid(chance: Chance): string {
  const hex = Array.from({ length: 32 }, () => chance.below(16).toString(16)).join("");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`;
}
