/**
 * What DATABASE_URL says about encryption, in the words of libpq (PostgreSQL documentation, "SSL Support" and
 * "Database Connection Control Functions"). Read here and taken out of the URL, because the two drivers read it
 * differently from libpq and from each other: to one, `require` checks certificates; to the other, `verify-ca` takes
 * the certificates of the system.
 */
import { type ConnectionOptions, checkServerIdentity } from "node:tls";
import { readTlsFiles, type TlsFiles } from "../../ops/tls-files.ts";

const MODES = ["disable", "prefer", "require", "verify-ca", "verify-full"] as const;
export type SslMode = (typeof MODES)[number];

/** An encrypted connection, and what is asked of the server. */
export interface DatabaseTls {
  readonly mode: Exclude<SslMode, "disable">;
  /** What the server's certificate is checked by; null: it is not checked. */
  readonly trust: "file" | "system" | null;
  readonly files: TlsFiles;
}

export interface DatabaseAddress {
  /** The URL without what is said here; it still holds the password. */
  readonly url: string;
  /** Null: plain text. */
  readonly tls: DatabaseTls | null;
}

/** A URL that says something about encryption that cannot be done. Never holds the URL. */
export class DatabaseAddressError extends Error {
  override readonly name = "DatabaseAddressError";
}

/** Parameters of libpq that are read here; any other one about encryption is refused, not ignored. */
const OWN = ["sslmode", "sslrootcert", "sslcert", "sslkey", "sslpassword", "channel_binding", "gssencmode"];
const ABOUT_ENCRYPTION = /^(ssl|gss|channel_binding$|require_auth$)/;

/**
 * @param url as DATABASE_URL is
 * @throws {DatabaseAddressError} naming the parameter
 */
export function databaseAddress(url: string): DatabaseAddress {
  const parsed = URL.canParse(url) ? new URL(url) : null;
  if (parsed === null || parsed.hostname.includes(",")) {
    throw new DatabaseAddressError("it must be a URL with one host");
  }
  const parameters = parsed.searchParams;
  const given: Record<string, string | undefined> = {};
  for (const name of [...parameters.keys()]) {
    if (!ABOUT_ENCRYPTION.test(name)) continue;
    if (!OWN.includes(name)) throw new DatabaseAddressError(`${name} is not supported`);
    given[name] = parameters.get(name) || undefined;
    parameters.delete(name);
  }
  for (const name of ["channel_binding", "gssencmode"]) {
    if (given[name] === "require") {
      throw new DatabaseAddressError(`${name}=require is not supported; use sslmode=verify-full`);
    }
  }
  // libpq reads + as itself.
  parsed.search = parsed.search.replaceAll("+", "%20");
  return { url: Object.keys(given).length === 0 ? url : parsed.href, tls: tlsOf(given) };
}

function tlsOf(given: Readonly<Record<string, string | undefined>>): DatabaseTls | null {
  const { sslrootcert: root, sslcert: cert, sslkey: key, sslpassword: passphrase } = given;
  const isSystem = root === "system";
  const mode = MODES.find((known) => known === (given.sslmode ?? (isSystem ? "verify-full" : "disable")));
  if (mode === undefined) throw new DatabaseAddressError(`sslmode must be one of ${MODES.join(", ")}`);
  if (mode === "disable") {
    if (root ?? cert ?? key)
      throw new DatabaseAddressError("certificates are given, but no sslmode that uses them");
    return null;
  }
  if (isSystem && mode !== "verify-full") {
    throw new DatabaseAddressError(
      `sslrootcert=system goes with sslmode=verify-full, not with ${mode}: anybody can have a certificate of some name`,
    );
  }
  if (root === undefined && mode.startsWith("verify-")) {
    throw new DatabaseAddressError(
      `sslmode=${mode} needs sslrootcert: the path of the authority's certificate${mode === "verify-full" ? ", or system" : ""}`,
    );
  }
  if ((cert === undefined) !== (key === undefined)) {
    throw new DatabaseAddressError("sslcert and sslkey must be given together");
  }
  // To libpq, `require` with a root certificate is `verify-ca`; `prefer` never checks.
  const trust = mode === "prefer" || root === undefined ? null : isSystem ? "system" : "file";
  return { mode, trust, files: { ca: trust === "file" ? root : undefined, cert, key, passphrase } };
}

/** Options of the handshake with `host`; files are read now. @throws {TlsFileError} */
export function handshakeOptions({ mode, trust, files }: DatabaseTls): ConnectionOptions {
  return {
    ...readTlsFiles(files),
    minVersion: "TLSv1.2",
    rejectUnauthorized: trust !== null,
    checkServerIdentity: mode === "verify-full" ? checkServerIdentity : () => undefined,
  };
}

/** For people, without anything secret. */
export function describeTls(tls: DatabaseTls | null): string {
  return tls ? `TLS, sslmode=${tls.mode}` : "no TLS";
}
