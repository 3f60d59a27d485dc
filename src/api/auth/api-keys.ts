/**
 * API keys: `hi_` + 8 characters that are shown + `_` + 32 random ones + 6 of a checksum. The shape is for scanners of
 * leaked secrets: /\bhi_[0-9A-Za-z]{8}_[0-9A-Za-z]{38}\b/. 190 random bits cannot be guessed, so the stored hash is a
 * plain SHA-256: a slow one would protect nothing and cost every request.
 */
import { timingSafeEqual } from "node:crypto";

/** Header that a key may come in, beside `Authorization: Bearer`. */
export const API_KEY_HEADER = "X-Api-Key";

const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const PREFIX_LENGTH = 8;
const SECRET_LENGTH = 32;
const CHECKSUM_LENGTH = 6;
const START = "hi_";
const KEY = /^(hi_[0-9A-Za-z]{8})_[0-9A-Za-z]{38}$/;
/** Bytes from here on would make the first letters of the alphabet likelier. */
const FAIR = 256 - (256 % ALPHABET.length);

/** A new key: handed out once, kept as prefix and hash. */
export interface MintedKey {
  readonly secret: string;
  readonly prefix: string;
  /** SHA-256, hex. */
  readonly hash: string;
}

/** Makes a key, of which nobody else has the secret. */
export function mintKey(): MintedKey {
  const prefix = START + randomText(PREFIX_LENGTH);
  const body = `${prefix}_${randomText(SECRET_LENGTH)}`;
  const secret = body + checksumOf(body);
  return { secret, prefix, hash: hashOf(secret) };
}

/** True for what is meant as a key; a JSON Web Token never begins so. */
export const looksLikeKey = (text: string): boolean => text.startsWith(START);

/** The prefix of a key, or null when it was not typed as it was made. */
export function prefixOf(key: string): string | null {
  const prefix = KEY.exec(key)?.[1];
  if (prefix === undefined) return null;
  return checksumOf(key.slice(0, -CHECKSUM_LENGTH)) === key.slice(-CHECKSUM_LENGTH) ? prefix : null;
}

/** @param hash as `mintKey` gave it */
export function isKeyOf(key: string, hash: string): boolean {
  return timingSafeEqual(Buffer.from(hashOf(key), "hex"), Buffer.from(hash, "hex"));
}

const hashOf = (key: string) => Bun.CryptoHasher.hash("sha256", key, "hex");

/** CRC-32, in the alphabet: 62^6 is more than 2^32. */
function checksumOf(text: string): string {
  let rest = Bun.hash.crc32(text);
  let digits = "";
  for (let i = 0; i < CHECKSUM_LENGTH; i += 1) {
    digits = ALPHABET[rest % ALPHABET.length] + digits;
    rest = Math.floor(rest / ALPHABET.length);
  }
  return digits;
}

function randomText(length: number): string {
  let text = "";
  while (text.length < length) {
    for (const byte of crypto.getRandomValues(new Uint8Array(length))) {
      if (byte < FAIR && text.length < length) text += ALPHABET[byte % ALPHABET.length];
    }
  }
  return text;
}
