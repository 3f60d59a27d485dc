/** Webhooks lead to public addresses, whatever they are written as, and to what the operator has named. */
import { describe, expect, test } from "bun:test";
import { Networks } from "../../../src/notify/networks.ts";

const PUBLIC_ONLY = new Networks([]);

describe("an address is public", () => {
  test.each([
    "1.1.1.1",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.0",
    "169.253.255.255",
    "172.15.255.255",
    "172.32.0.0",
    "192.167.255.255",
    "192.169.0.0",
    "198.17.255.255",
    "198.20.0.0",
    "223.255.255.255",
    "2606:4700:4700::1111",
    "2a00:1450:4001:80b::200e",
    "2001:4860:4860::8888",
    "3ffe::1",
    "::ffff:1.1.1.1",
    "::ffff:101:101",
    "64:ff9b::1.1.1.1",
    "64:ff9b::101:101",
  ])("%s", (address) => {
    expect(PUBLIC_ONLY.objection(address)).toBeNull();
  });
});

describe("an address is refused, and its kind is named", () => {
  test.each([
    ["0.0.0.0", "unspecified"],
    ["0.1.2.3", "unspecified"],
    ["::", "unspecified"],
    ["127.0.0.1", "loopback"],
    ["127.255.255.254", "loopback"],
    ["::1", "loopback"],
    ["10.0.0.1", "private"],
    ["172.16.0.1", "private"],
    ["172.31.255.255", "private"],
    ["192.168.1.1", "private"],
    ["fc00::1", "private"],
    ["fd12:3456:789a::1", "private"],
    ["169.254.169.254", "link-local"],
    ["fe80::1", "link-local"],
    ["febf::1", "link-local"],
    ["100.64.0.1", "carrier-grade"],
    ["100.127.255.255", "carrier-grade"],
    ["224.0.0.1", "multicast"],
    ["239.255.255.255", "multicast"],
    ["ff02::1", "multicast"],
    ["192.0.2.1", "documentation"],
    ["198.51.100.1", "documentation"],
    ["203.0.113.1", "documentation"],
    ["2001:db8::1", "documentation"],
    ["3fff::1", "documentation"],
    ["198.18.0.1", "benchmarks"],
    ["198.19.255.255", "benchmarks"],
    ["192.88.99.1", "6to4"],
    ["2002:7f00:1::", "6to4"],
    ["192.0.0.1", "protocols"],
    ["2001::1", "protocols"],
    ["2001:0:53aa:64c:0:7e57:80ff:fffe", "protocols"],
    ["240.0.0.1", "reserved"],
    ["255.255.255.255", "reserved"],
    ["::ffff:127.0.0.1", "loopback"],
    ["::ffff:7f00:1", "loopback"],
    ["0:0:0:0:0:ffff:a9fe:a9fe", "link-local"],
    ["64:ff9b::10.0.0.1", "private"],
    ["64:ff9b::7f00:1", "loopback"],
    ["64:ff9b:1::1", "not public"],
    ["::127.0.0.1", "not public"],
    ["::7f00:1", "not public"],
    ["fec0::1", "not public"],
    ["4000::1", "not public"],
    ["fe80::1%eth0", "no IP address"],
    ["hook.example", "no IP address"],
    ["", "no IP address"],
    ["127.1", "no IP address"],
    ["0x7f000001", "no IP address"],
  ])("%s: %s", (address, kind) => {
    expect(PUBLIC_ONLY.objection(address)).toContain(kind);
  });
});

describe("a network that the operator has named", () => {
  const named = new Networks(["10.1.0.0/16", "127.0.0.1/32", "fd00:1::/32"]);

  test.each(["10.1.0.1", "10.1.255.255", "127.0.0.1", "fd00:1::5", "::ffff:10.1.2.3", "64:ff9b::10.1.2.3"])(
    "may be reached: %s",
    (address) => {
      expect(named.isAllowed(address)).toBe(true);
      expect(named.objection(address)).toBeNull();
    },
  );

  test.each(["10.2.0.1", "127.0.0.2", "fd00:2::5", "169.254.169.254", "::1"])("has an end: %s", (address) => {
    expect(named.isAllowed(address)).toBe(false);
    expect(named.objection(address)).not.toBeNull();
  });

  test("is not the only one: public addresses stay public", () => {
    expect(named.objection("1.1.1.1")).toBeNull();
    expect(named.isAllowed("1.1.1.1")).toBe(false);
  });
});
