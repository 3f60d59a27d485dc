/**
 * Certificates and keys for a TLS connection, read from files each time one is opened: whoever renews a certificate
 * replaces its file, and the next connection has it.
 */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import type { SecureContextOptions } from "node:tls";

/** Paths of PEM files; what is absent is not sent, or is taken from the system. */
export interface TlsFiles {
  /** Certificates of the authorities that may have signed the server's. */
  readonly ca?: string | undefined;
  /** Certificate that is shown to the server, with those between it and its authority. */
  readonly cert?: string | undefined;
  /** Its private key. */
  readonly key?: string | undefined;
  /** Opens the key. */
  readonly passphrase?: string | undefined;
}

/** A file that cannot be used; says which and why, never what is in it. */
export class TlsFileError extends Error {
  override readonly name = "TlsFileError";
}

/**
 * The files' contents, each looked at: what is no certificate, or a key of another certificate, is told here and not
 * as the riddle that the handshake makes of it.
 * @throws {TlsFileError}
 */
export function readTlsFiles({ ca, cert, key, passphrase }: TlsFiles): SecureContextOptions {
  const options: SecureContextOptions = {};
  if (ca !== undefined) {
    const text = contentOf(ca);
    certificatesIn(ca, text);
    options.ca = text;
  }
  if ((cert === undefined) !== (key === undefined)) {
    throw new TlsFileError(`a client certificate and its key belong together; only ${cert ?? key} is given`);
  }
  if (cert === undefined || key === undefined) return options;
  const text = contentOf(cert);
  const [own] = certificatesIn(cert, text);
  const secret = privateKeyIn(key, passphrase);
  if (!own?.checkPrivateKey(secret)) throw new TlsFileError(`${key} is not the key of ${cert}`);
  options.cert = text;
  options.key = secret.export({ type: "pkcs8", format: "pem" }).toString();
  return options;
}

function contentOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new TlsFileError(`${path} cannot be read (${code})`, { cause: error });
  }
}

const PEM_CERTIFICATE =
  /-----BEGIN (?:TRUSTED )?CERTIFICATE-----[^-]+-----END (?:TRUSTED )?CERTIFICATE-----/g;

function certificatesIn(path: string, text: string): X509Certificate[] {
  try {
    const found = text.match(PEM_CERTIFICATE) ?? [];
    if (found.length > 0) return found.map((pem) => new X509Certificate(pem));
  } catch (error) {
    throw new TlsFileError(`${path} holds a certificate that cannot be read`, { cause: error });
  }
  throw new TlsFileError(`${path} holds no certificate in PEM`);
}

function privateKeyIn(path: string, passphrase: string | undefined) {
  const key = contentOf(path);
  try {
    return createPrivateKey(passphrase === undefined ? key : { key, passphrase });
  } catch {
    // Not as a cause: what the library says may hold a part of the file.
    throw new TlsFileError(`${path} holds no private key in PEM, or another passphrase opens it`);
  }
}
