/** Whom a request comes from: only what the operator's own proxies wrote is believed. */
import { expect, test } from "bun:test";
import { clientAddresses } from "../../../src/api/client-address.ts";

const PROXIES = ["10.1.0.0/16", "fd00::/8"];

test.each([
  // peer, X-Forwarded-For, whom it comes from
  ["198.51.100.9", null, "198.51.100.9"],
  ["198.51.100.9", "203.0.113.7", "198.51.100.9"],
  ["10.1.0.1", null, "10.1.0.1"],
  ["10.1.0.1", "203.0.113.7", "203.0.113.7"],
  ["10.1.0.1", "192.0.2.66, 203.0.113.7", "203.0.113.7"],
  ["10.1.0.1", "203.0.113.7,10.1.2.3 , fd12::1", "203.0.113.7"],
  ["::ffff:10.1.0.1", "203.0.113.7", "203.0.113.7"],
  ["fd00::5", "2001:db8::7", "2001:db8::7"],
  ["10.1.0.1", "203.0.113.7:4711", "203.0.113.7"],
  ["10.1.0.1", "[2001:db8::7]:4711", "2001:db8::7"],
  ["10.1.0.1", "[2001:db8::7]", "2001:db8::7"],
  ["10.1.0.1", "10.1.0.9", "10.1.0.9"],
  ["10.1.0.1", "203.0.113.7, unknown", "10.1.0.1"],
  ["10.1.0.1", "203.0.113.7, ", "10.1.0.1"],
  ["10.1.0.1", "203.0.113.7, 999.1.1.1", "10.1.0.1"],
  ["10.1.0.1", "203.0.113.7, 10.1.0.2, <script>", "10.1.0.1"],
  ["10.1.0.1", "", "10.1.0.1"],
])("from %s with %j it is %s", (peer, forwarded, client) => {
  expect(clientAddresses(PROXIES)(peer, forwarded)).toBe(client);
});

test("without proxies of one's own the header is never believed", () => {
  expect(clientAddresses([])("10.1.0.1", "203.0.113.7")).toBe("10.1.0.1");
});
