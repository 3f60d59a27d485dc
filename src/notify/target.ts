/**
 * Where a webhook's address leads at this moment. The name is resolved once, every address that it has is checked,
 * and the connection is made to one of these addresses: a name that means something else a moment later changes nothing.
 */
import { isIP } from "node:net";
import { withDeadline } from "../ops/retry.ts";
import type { Networks } from "./networks.ts";

const RESOLVE_DEADLINE_MS = 5_000;

/** The address cannot be used; the message is for whoever named it. */
export class TargetError extends Error {
  override readonly name = "TargetError";
}

export interface Target {
  readonly url: URL;
  /** Checked; to be tried in this order. */
  readonly addresses: readonly string[];
  /** For TLS: the name that the certificate must have; null when the URL names an address. */
  readonly servername: string | null;
}

/** All addresses of a host name. @throws whatever the resolver says */
export type Resolve = (hostname: string) => Promise<readonly string[]>;

/**
 * By DNS and /etc/hosts, in the background. The system's own look-up, which node:dns takes, holds a thread of the pool
 * for as long as a name server is silent (10 s, measured), and passwords and files wait for the same few threads: with
 * names that nobody answers for, one user could keep all others from logging in.
 */
const resolveByDns: Resolve = async (hostname) =>
  (await Bun.dns.lookup(hostname, { backend: "c-ares" })).map(({ address }) => address);

export class Targets {
  constructor(
    private readonly networks: Networks,
    private readonly resolve: Resolve = resolveByDns,
  ) {}

  /** @throws {TargetError} */
  async find(text: string): Promise<Target> {
    const url = parsed(text);
    const hostname = url.hostname.replace(/^\[(.*)\]$/, "$1");
    const isName = isIP(hostname) === 0;
    const addresses = isName ? await this.#addressesOf(hostname) : [hostname];
    for (const address of addresses) {
      const objection = this.networks.objection(address);
      if (objection !== null)
        throw new TargetError(`${isName ? `${hostname} leads to ` : ""}${address}, ${objection}`);
    }
    if (url.protocol === "http:" && !addresses.every((address) => this.networks.isAllowed(address)))
      throw new TargetError("http is taken only into networks of WEBHOOK_ALLOWED_NETWORKS; use https");
    return { url, addresses, servername: isName ? hostname : null };
  }

  async #addressesOf(hostname: string): Promise<readonly string[]> {
    let addresses: readonly string[];
    try {
      addresses = await withDeadline(this.resolve(hostname), RESOLVE_DEADLINE_MS, "the look-up of the name");
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      throw new TargetError(`${hostname} has no address (${code?.replace(/^DNS_/, "") ?? message})`, {
        cause: error,
      });
    }
    if (addresses.length === 0) throw new TargetError(`${hostname} has no address`);
    return addresses;
  }
}

/** @throws {TargetError} */
function parsed(text: string): URL {
  const url = URL.parse(text);
  if (!url) throw new TargetError("it is no absolute URL");
  if (url.protocol !== "https:" && url.protocol !== "http:")
    throw new TargetError(`it begins with ${url.protocol.slice(0, 20)}, not with https:`);
  if (url.username !== "" || url.password !== "")
    throw new TargetError("it must not hold a user name or a password");
  if (url.hash !== "") throw new TargetError("it must not have a fragment, which is never sent");
  return url;
}
