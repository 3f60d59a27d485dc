/** A hostile request: its bytes, how its connection ends, and what the service may do with it. */

/** Bytes, or a pause before the next ones, ms. */
export type Piece = Uint8Array | number;

export interface HostileCase {
  /** Of the family `kind: shape`; results are counted by it. */
  readonly kind: string;
  readonly shape: string;
  /** The operation of the document that it is meant for; null: none. */
  readonly operation: string | null;
  readonly pieces: readonly Piece[];
  /** What the sender does behind the last byte. */
  readonly end: "wait" | "half-close" | "reset";
  /**
   * `refused`: 4xx or a closed connection, never 2xx, because something would be stored.
   * `harmless`: any answer but 5xx; it asks for something, or is good HTTP after all.
   */
  readonly expect: "refused" | "harmless";
  /** It leaves the connection as a good request would. */
  readonly shares: boolean;
  /** Answers to wait for: more than 1 for requests that are sent behind one another at once. */
  readonly answers: number;
  readonly isHead: (n: number) => boolean;
}

type Beside = Partial<Omit<HostileCase, "kind" | "shape" | "pieces">>;

/** @param beside what is not as with a single refused request that is sent whole */
export function hostile(
  kind: string,
  shape: string,
  pieces: Piece | readonly Piece[],
  beside: Beside = {},
): HostileCase {
  return {
    kind,
    shape,
    operation: null,
    pieces: Array.isArray(pieces) ? pieces : [pieces as Piece],
    end: "wait",
    expect: "refused",
    shares: true,
    answers: 1,
    isHead: () => false,
    ...beside,
  };
}

/** Name and value as they are sent. */
export type Header = readonly [name: string, value: string];

/** A request with `Content-Length` when it has a body. Text counts as bytes: latin1. */
export function request(
  method: string,
  target: string,
  headers: readonly Header[] = [],
  body?: Uint8Array,
): Buffer {
  const length: Header[] = body === undefined ? [] : [["Content-Length", String(body.byteLength)]];
  return Buffer.concat([
    head(`${method} ${target} HTTP/1.1`, [["Host", "hostile"], ...headers, ...length]),
    body ?? new Uint8Array(0),
  ]);
}

/** A head alone. */
export function head(line: string, headers: readonly Header[], lineEnd = "\r\n"): Buffer {
  const lines = [line, ...headers.map(([name, value]) => `${name}: ${value}`)];
  return Buffer.from(`${lines.join(lineEnd)}${lineEnd}${lineEnd}`, "latin1");
}

export const bearer = (token: string): Header => ["Authorization", `Bearer ${token}`];
export const JSON_TYPE: Header = ["Content-Type", "application/json"];
