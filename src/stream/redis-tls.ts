/**
 * TLS to Redis (`rediss://`): chain and host name are always verified. The files travel in the URL's fragment, where
 * no server sees them, so that one text still says all about the server: to commands, to threads, to a cluster's nodes.
 */
import type { ConnectionOptions } from "node:tls";
import { readTlsFiles, TlsFileError, type TlsFiles } from "../ops/tls-files.ts";

const SECURE = /^rediss(-cluster)?:/;
const NAMES = ["ca", "cert", "key"] as const satisfies readonly (keyof TlsFiles)[];

/** The URL for the clients of this folder. @param files as the REDIS_TLS_* variables name them */
export function withTlsFiles(url: string, files: TlsFiles): string {
  const given = new URLSearchParams();
  for (const name of NAMES) if (files[name] !== undefined) given.set(name, files[name]);
  return given.size === 0 ? url : `${url}#${given}`;
}

/** A URL as others read it, and what its connections need for TLS. */
export interface RedisAddress {
  readonly url: string;
  /** Undefined: plain text. Each look reads the files; one that cannot be used just now leaves what was read before. */
  readonly tls: ConnectionOptions | undefined;
}

/** @throws {TlsFileError} */
export function redisAddress(given: string): RedisAddress {
  const [url = "", fragment = ""] = given.split("#", 2);
  if (!SECURE.test(url)) return { url, tls: undefined };
  const names = new URLSearchParams(fragment);
  const files = Object.fromEntries(NAMES.map((name) => [name, names.get(name) ?? undefined]));
  let last = readTlsFiles(files);
  const current = () => {
    try {
      last = readTlsFiles(files);
    } catch (error) {
      if (!(error instanceof TlsFileError)) throw error;
    }
    return last;
  };
  return {
    url,
    // ioredis copies these, in this order, for each connection: whoever renews a certificate replaces its file.
    tls: {
      minVersion: "TLSv1.2",
      get ca() {
        return current().ca;
      },
      get cert() {
        return current().cert;
      },
      get key() {
        return last.key;
      },
    },
  };
}
