/** Lists of networks, and what an address means. */
import { BlockList, isIP } from "node:net";

/** Networks as CIDR (RFC 4632, RFC 4291), each valid. */
export class AddressList {
  readonly #list = new BlockList();

  constructor(networks: readonly string[]) {
    for (const network of networks) {
      const [address = "", prefix = ""] = network.split("/");
      this.#list.addSubnet(address, Number(prefix), familyOf(address));
    }
  }

  /** True when one of the networks has the address; false for what is no address. */
  has(address: string): boolean {
    const meant = meantBy(address);
    return meant !== null && this.#list.check(meant, familyOf(meant));
  }
}

/** The family of an IP address, as Node's block list wants it. */
export function familyOf(address: string): "ipv4" | "ipv6" {
  return isIP(address) === 6 ? "ipv6" : "ipv4";
}

/**
 * The address that is reached in the end, without the zone; null when it is none. An IPv6 address that carries an
 * IPv4 address stands for that.
 */
export function meantBy(address: string): string | null {
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
