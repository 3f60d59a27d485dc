/** Whom a request comes from, behind proxies too. */
import { isIP } from "node:net";
import { AddressList } from "../ops/address-list.ts";

/** IPv4 or IPv6 with a port, as some proxies write them: `203.0.113.7:4711`, `[2001:db8::7]:4711`. */
const WITH_PORT = /^(?:\[([^\]]+)\]|([\d.]+))(?::\d{1,5})?$/;

/**
 * Tells the address that a request comes from. That is the connection's, unless that is a proxy of the operator's:
 * then it is the last one in X-Forwarded-For that is none. Each proxy appends whom it was asked by, so what a client
 * has written itself stands before that, and is not believed.
 * @param proxies networks of the operator's proxies, as CIDR
 */
export function clientAddresses(
  proxies: readonly string[],
): (peer: string, forwarded: string | null) => string {
  const own = new AddressList(proxies);
  return (peer, forwarded) => {
    let client = peer;
    const told = forwarded?.split(",") ?? [];
    while (own.has(client)) {
      const next = addressIn(told.pop());
      // Whatever is no address was not written by a proxy that knows its trade.
      if (next === null) return client;
      client = next;
    }
    return client;
  };
}

function addressIn(text = ""): string | null {
  const [, ipv6, ipv4] = WITH_PORT.exec(text.trim()) ?? [];
  const address = ipv6 ?? ipv4 ?? text.trim();
  return isIP(address) === 0 ? null : address;
}
