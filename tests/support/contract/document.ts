/** The parts of an OpenAPI 3.1 document that the tests read. */

export interface ResponseObject {
  readonly headers?: Readonly<Record<string, { readonly schema?: object }>>;
  readonly content?: Readonly<
    Record<string, { readonly schema?: object; readonly example?: unknown; readonly examples?: object }>
  >;
}

export interface ParameterObject {
  readonly name: string;
  readonly in: "path" | "query" | "header" | "cookie";
  readonly required?: boolean;
  readonly description?: string;
  readonly schema?: { readonly default?: unknown; readonly enum?: readonly unknown[] };
  readonly example?: unknown;
}

export interface Operation {
  readonly operationId: string;
  readonly summary?: string;
  readonly description?: string;
  readonly tags?: readonly string[];
  readonly security?: readonly object[];
  readonly parameters?: readonly ParameterObject[];
  readonly requestBody?: {
    readonly content: Readonly<
      Record<string, { schema?: object; example?: unknown; examples?: Record<string, { value: unknown }> }>
    >;
  };
  readonly responses: Readonly<Record<string, ResponseObject>>;
}

export interface OpenApiDocument {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, object>>;
    readonly securitySchemes: Readonly<Record<string, object>>;
  };
}

/** One method of one path. */
export interface Route {
  /** Small letters. */
  readonly method: string;
  /** Template, as `/api/v1/jobs/{job_id}`. */
  readonly path: string;
  readonly operation: Operation;
}

/** Every operation, in the order of the document. */
export function routesOf(document: OpenApiDocument): Route[] {
  return Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => ({ method, path, operation })),
  );
}
