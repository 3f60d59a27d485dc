/** URLs that people gave: whether they can be used at all, and whether what goes there is encrypted. */
import { TlsFileError } from "../ops/tls-files.ts";
import {
  DatabaseAddressError,
  databaseAddress,
  describeTls,
  handshakeOptions,
} from "../store/tls/database-address.ts";
import { clusterAddress } from "../stream/address.ts";
import { redisAddress } from "../stream/redis-tls.ts";
import { ServicesError } from "./services-error.ts";
import type { ServicesOptions } from "./types.ts";

/**
 * Asked before anything is connected or started, because the drivers would tell of a wrong file only in the handshake.
 * @throws ServicesError `bad-url` when a given URL is not one of its service, or its TLS cannot be
 */
export function checkUrls({
  databaseUrl,
  redisUrl,
}: Pick<ServicesOptions, "databaseUrl" | "redisUrl">): void {
  checkDatabaseUrl("DATABASE_URL", databaseUrl);
  // A list of hosts is not a URL to others.
  const isCluster = redisUrl !== undefined && clusterAddress(redisUrl.split("#", 1)[0]!) !== null;
  checkUrl("REDIS_URL", redisUrl, ["redis:", "rediss:"], redisAddress, isCluster);
}

/** @param name of the variable @throws ServicesError `bad-url` */
export function checkDatabaseUrl(name: string, databaseUrl: string | undefined): void {
  checkUrl(name, databaseUrl, ["postgres:", "postgresql:"], (url) => {
    const { tls } = databaseAddress(url);
    if (tls) handshakeOptions(tls);
  });
}

function checkUrl(
  name: string,
  url: string | undefined,
  protocols: readonly string[],
  check: (url: string) => unknown,
  isKnown = false,
): void {
  if (url === undefined) return;
  if (!isKnown && (!URL.canParse(url) || !protocols.includes(new URL(url).protocol))) {
    const more = name === "REDIS_URL" ? ", and not redis-cluster://host:port,host:port,…" : "";
    throw new ServicesError(
      "bad-url",
      `${name} is not a URL that begins with ${protocols.map((protocol) => `${protocol}//`).join(" or ")}${more}`,
      `Correct ${name}, or unset it to let the program find or start the service itself.`,
    );
  }
  try {
    check(url);
  } catch (error) {
    if (!(error instanceof DatabaseAddressError) && !(error instanceof TlsFileError)) throw error;
    throw new ServicesError(
      "bad-url",
      `${name}: ${error.message}`,
      `Correct ${name}; docs/deploy.md has a part on TLS.`,
    );
  }
}

/** "TLS" or "no TLS", with what is asked of the server; for people. */
export function encryptionOf(url: string): string {
  if (url.startsWith("redis")) return redisAddress(url).tls ? "TLS" : "no TLS";
  return describeTls(databaseAddress(url).tls);
}
