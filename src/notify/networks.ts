/**
 * Where webhooks may lead: to the public internet, and to networks that the operator has named. What is public is
 * said by IANA's registries of special-purpose addresses for IPv4 and IPv6; of IPv6 only global unicast (2000::/3) is
 * given out at all, so everything outside of it is refused without a name.
 */
import { BlockList, isIP } from "node:net";

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
const GLOBAL_UNICAST = blockList(["2000::/3"]);
const CHECKED = SPECIAL.map(({ network, name }) => ({ list: blockList([network]), name }));

/** @param networks as CIDR */
function blockList(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = "", prefix = ""] = network.split("/");
    list.addSubnet(address, Number(prefix), familyOf(address));
  }
  return list;
}

function familyOf(address: string): "ipv4" | "ipv6" {
  return isIP(address) === 6 ? "ipv6" : "ipv4";
}

export class Networks {
  readonly #allowed: BlockList;

  /** @param allowed networks as CIDR (RFC 4632, RFC 4291) that may be reached although they are not public */
  constructor(allowed: readonly string[]) {
    this.#allowed = blockList(allowed);
  }

  /** True when the operator has named a network with the address. */
  isAllowed(address: string): boolean {
    const meant = meantBy(address);
    return meant !== null && this.#allowed.check(meant, familyOf(meant));
  }

  /** What the address is when it may not be reached, in words that follow "leads to"; null when it may. */
  objection(address: string): string | null {
    const meant = meantBy(address);
    if (meant === null) return "no IP address";
    if (this.isAllowed(meant)) return null;
    const family = familyOf(meant);
    const found = CHECKED.find(({ list }) => list.check(meant, family));
    if (found) return found.name;
    return family === "ipv4" || GLOBAL_UNICAST.check(meant, "ipv6") ? null : "an address that is not public";
  }
}

/**
 * The address that is reached in the end, without the zone; null when it is none. An IPv6 address that carries an
 * IPv4 address stands for that.
 */
function meantBy(address: string): string | null {
  const family = isIP(address);
  if (family === 4) return address;
  // A zone names an interface of this machine: link-local at best.
  if (family !== 6 || address.includes("%")) return null;
  if (!carries(address)) return address;
  const [high = 0, low = 0] = groupsOf(address).slice(-2);
  return [high >> 8, high & 255, low >> 8, low & 255].join(".");
}

/** IPv4-mapped (RFC 4291 section 2.5.5.2), or of the well-known prefix of NAT64 (RFC 6052 section 2.1). */
function carries(address: string): boolean {
  const groups = groupsOf(address);
  const isMapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  const isNat64 =
    groups[0] === 0x64 && groups[1] === 0xff9b && groups.slice(2, 6).every((group) => group === 0);
  return isMapped || isNat64;
}

/** The eight groups of a valid IPv6 address (RFC 4291 section 2.2). */
function groupsOf(address: string): number[] {
  const text = address.replace(
    /(\d+)\.(\d+)\.(\d+)\.(\d+)$/,
    (_, a, b, c, d) =>
      `${((Number(a) << 8) | Number(b)).toString(16)}:${((Number(c) << 8) | Number(d)).toString(16)}`,
  );
  const [head = "", tail] = text.split("::");
  const parse = (part: string) =>
    part === "" ? [] : part.split(":").map((group) => Number.parseInt(group, 16));
  const [front, back] = [parse(head), parse(tail ?? "")];
  if (tail === undefined) return front;
  return [...front, ...Array<number>(8 - front.length - back.length).fill(0), ...back];
}
