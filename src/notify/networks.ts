/**
 * Where webhooks may lead: to the public internet, and to networks that the operator has named. What is public is
 * said by IANA's registries of special-purpose addresses for IPv4 and IPv6; of IPv6 only global unicast (2000::/3) is
 * given out at all, so everything outside of it is refused without a name.
 */
import { AddressList, familyOf, meantBy } from "../ops/address-list.ts";

interface Special {
  readonly network: string;
  readonly name: string;
}

const special = (name: string, ...networks: readonly string[]): Special[] =>
  networks.map((network) => ({ network, name }));

/** Not public, with the name that an error message gives them. The first that fits counts. */
const SPECIAL: readonly Special[] = [
  ...special("an unspecified address", "0.0.0.0/8", "::/128"),
  ...special("a loopback address", "127.0.0.0/8", "::1/128"),
  ...special("a private network", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"),
  ...special("a link-local address", "169.254.0.0/16", "fe80::/10"),
  ...special("a network behind carrier-grade NAT", "100.64.0.0/10"),
  ...special("a multicast address", "224.0.0.0/4", "ff00::/8"),
  ...special("a network for documentation", "192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24"),
  ...special("a network for documentation", "2001:db8::/32", "3fff::/20"),
  ...special("a network for benchmarks", "198.18.0.0/15", "2001:2::/48"),
  ...special("a relay of 6to4", "192.88.99.0/24", "2002::/16"),
  ...special("a network for protocols", "192.0.0.0/24", "2001::/23"),
  ...special("a reserved address", "240.0.0.0/4"),
];
const GLOBAL_UNICAST = new AddressList(["2000::/3"]);
const CHECKED = SPECIAL.map(({ network, name }) => ({ list: new AddressList([network]), name }));

export class Networks {
  readonly #allowed: AddressList;

  /** @param allowed networks as CIDR (RFC 4632, RFC 4291) that may be reached although they are not public */
  constructor(allowed: readonly string[]) {
    this.#allowed = new AddressList(allowed);
  }

  /** True when the operator has named a network with the address. */
  isAllowed(address: string): boolean {
    return this.#allowed.has(address);
  }

  /** What the address is when it may not be reached, in words that follow "leads to"; null when it may. */
  objection(address: string): string | null {
    const meant = meantBy(address);
    if (meant === null) return "no IP address";
    if (this.isAllowed(meant)) return null;
    const found = CHECKED.find(({ list }) => list.has(meant));
    if (found) return found.name;
    return familyOf(meant) === "ipv4" || GLOBAL_UNICAST.has(meant) ? null : "an address that is not public";
  }
}
