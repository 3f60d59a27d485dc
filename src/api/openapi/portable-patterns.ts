/**
 * Patterns of the document for readers of every language. The service's own are for ECMAScript without the flag u,
 * where a character beyond the first plane is a pair of surrogates; JSON Schema (2020-12 core, section 6.4) asks for
 * Unicode, and most engines know no surrogates at all. Lone ones, which only an escape of JSON can bring, are refused
 * by the service and not by the document.
 */

/** What `characterBut` (contract/registry.ts) makes. */
const CHARACTER = /\(\?:\[\^([^\]]*)\\ud800-\\udfff\]\|\[\\ud800-\\udbff\]\[\\udc00-\\udfff\]\)/g;

/** The same pattern of whole characters. */
function portablePattern(pattern: string): string {
  return pattern.replace(CHARACTER, "[^$1]");
}

/** The document with such patterns in all its schemas. */
export function withPortablePatterns<T>(value: T): T {
  if (Array.isArray(value)) return value.map(withPortablePatterns) as T;
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([name, inner]): [string, unknown] => {
    if (name === "pattern" && typeof inner === "string") return [name, portablePattern(inner)];
    if (name === "patternProperties") return [name, withPortableKeys(inner as object)];
    return [name, withPortablePatterns(inner)];
  });
  return Object.fromEntries(entries) as T;
}

const withPortableKeys = (schemas: object) =>
  Object.fromEntries(
    Object.entries(schemas).map(([pattern, schema]) => [
      portablePattern(pattern),
      withPortablePatterns(schema),
    ]),
  );
