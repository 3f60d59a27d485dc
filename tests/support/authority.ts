/**
 * A certificate authority for tests: X.509 certificates (RFC 5280, in DER as ITU-T X.690 has it) with keys on P-256.
 * Written out here, because neither Node nor Bun makes certificates and a fresh machine need not have openssl.
 */
import { createPrivateKey, generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";
import { isIP } from "node:net";

/** A certificate with its key, both in PEM. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

export interface Wanted {
  /** Host names and IP addresses (subjectAltName). */
  readonly names?: readonly string[];
  /** Common name of the subject; the first of `names` otherwise. */
  readonly commonName?: string;
  readonly notBefore?: Date;
  readonly notAfter?: Date;
}

const DAY_MS = 86_400_000;
const OID = {
  commonName: "550403",
  basicConstraints: "551d13",
  subjectAltName: "551d11",
  ecPublicKeyWithSha256: "2a8648ce3d040302",
} as const;

function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const n = content.length;
  const length = n < 128 ? [n] : n < 256 ? [0x81, n] : [0x82, n >> 8, n & 255];
  return Buffer.concat([Buffer.from([tag, ...length]), content]);
}
const sequence = (...parts: readonly Buffer[]) => der(0x30, ...parts);
const oid = (hex: string) => der(0x06, Buffer.from(hex, "hex"));
const text = (value: string) => der(0x0c, Buffer.from(value));
const bits = (content: Buffer) => der(0x03, Buffer.from([0]), content);
const octets = (content: Buffer) => der(0x04, content);
const yes = () => der(0x01, Buffer.from([0xff]));
/** UTCTime, as all dates before 2050 (RFC 5280, section 4.1.2.5.1). */
const moment = (at: Date) => der(0x17, Buffer.from(at.toISOString().replace(/^20|[-:T]|\.\d+/g, "")));
const named = (commonName: string) => sequence(der(0x31, sequence(oid(OID.commonName), text(commonName))));

/** A general name: [2] a host name, [7] an address (RFC 5280, section 4.2.1.6). */
function generalName(name: string): Buffer {
  if (isIP(name) === 4) return der(0x87, Buffer.from(name.split(".").map(Number)));
  return der(0x82, Buffer.from(name));
}

function pem(label: string, content: Buffer): string {
  const lines = content.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}

interface Made extends Certificate {
  readonly keyObject: KeyObject;
}

function make(subject: string, wanted: Wanted, issuer: { name: string; key: KeyObject } | null): Made {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const algorithm = sequence(oid(OID.ecPublicKeyWithSha256));
  const now_ms = Date.now();
  const extensions = issuer
    ? [sequence(oid(OID.subjectAltName), octets(sequence(...(wanted.names ?? []).map(generalName))))]
    : [sequence(oid(OID.basicConstraints), yes(), octets(sequence(yes())))];
  const body = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    algorithm,
    named(issuer?.name ?? subject),
    sequence(
      moment(wanted.notBefore ?? new Date(now_ms - DAY_MS)),
      moment(wanted.notAfter ?? new Date(now_ms + DAY_MS)),
    ),
    named(subject),
    publicKey.export({ type: "spki", format: "der" }),
    der(0xa3, sequence(...extensions)),
  );
  const signature = sign("sha256", body, issuer?.key ?? privateKey);
  return {
    cert: pem("CERTIFICATE", sequence(body, algorithm, bits(signature))),
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    keyObject: privateKey,
  };
}

/** Signs certificates with a key that only this object has. */
export class Authority {
  readonly #own: Made;

  constructor(private readonly name: string) {
    this.#own = make(name, {}, null);
  }

  /** What others trust it by, PEM. */
  get cert(): string {
    return this.#own.cert;
  }

  /** A certificate of this authority, valid from yesterday until tomorrow unless told otherwise. */
  issue(wanted: Wanted): Certificate {
    const subject = wanted.commonName ?? wanted.names?.[0] ?? "nobody";
    const { cert, key } = make(subject, wanted, { name: this.name, key: this.#own.keyObject });
    return { cert, key };
  }
}

/** The key as PEM that only the passphrase opens. */
export const locked = (key: string, passphrase: string): string =>
  createPrivateKey(key)
    .export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase })
    .toString();
