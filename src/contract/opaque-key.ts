/** Several texts as one word that clients pass on and read nothing into: base64url (RFC 4648 section 5) of a JSON array. */

export function encodeOpaqueKey(parts: readonly string[]): string {
  return Buffer.from(JSON.stringify(parts)).toString("base64url");
}

/**
 * The texts of a word; null when it is none of ours. Nothing is thrown.
 * @param parts how many there must be
 * @param max_length of the word, characters
 */
export function decodeOpaqueKey(text: string, parts: number, max_length: number): readonly string[] | null {
  const key = text.length <= max_length ? parsed(text) : null;
  const isKey = Array.isArray(key) && key.length === parts && key.every((part) => typeof part === "string");
  return isKey ? key : null;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(Buffer.from(text, "base64url").toString());
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
