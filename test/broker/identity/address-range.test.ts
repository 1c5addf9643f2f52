/** What an address is decides whether anything is fetched from it: every spelling of an address is the same address. */
import fc from "../../support/properties.ts";
import { expect, test } from "vitest";
import { classifyAddress } from "../../../broker/identity/address-range.ts";

test.each([
  ["140.82.112.3", "public"],
  ["172.32.0.1", "public"],
  ["2606:50c0:8000::153", "public"],
  ["64:ff9b::8c52:7003", "public"],
  ["::ffff:140.82.112.3", "public"],
  ["10.0.0.1", "private"],
  ["172.31.255.255", "private"],
  ["192.168.1.1", "private"],
  ["100.64.0.1", "private"],
  ["fd12:3456::1", "private"],
  ["::ffff:10.0.0.1", "private"],
  ["64:ff9b::10.0.0.1", "private"],
  ["127.0.0.1", "loopback"],
  ["127.255.255.254", "loopback"],
  ["::1", "loopback"],
  ["0:0:0:0:0:0:0:1", "loopback"],
  ["::ffff:127.0.0.1", "loopback"],
  ["::ffff:7f00:1", "loopback"],
  ["169.254.169.254", "link-local"],
  ["::ffff:a9fe:a9fe", "link-local"],
  ["64:ff9b::a9fe:a9fe", "link-local"],
  ["fe80::1", "link-local"],
  ["fe80::1%eth0", "link-local"],
  ["fd00:ec2::254", "link-local"],
  ["fd20:ce::254", "link-local"],
  ["100.100.100.200", "link-local"],
  ["168.63.129.16", "link-local"],
  ["0.0.0.0", "reserved"],
  ["255.255.255.255", "reserved"],
  ["224.0.0.1", "reserved"],
  ["192.0.2.1", "reserved"],
  ["198.18.0.1", "reserved"],
  ["::", "reserved"],
  ["::127.0.0.1", "reserved"],
  ["2002:7f00:1::", "reserved"],
  ["2001:0:7f00:1::", "reserved"],
  ["ff02::1", "reserved"],
  ["localhost", "reserved"],
  ["127.1", "reserved"],
  ["0x7f000001", "reserved"],
  ["", "reserved"],
])("%s is %s", (address, range) => {
  expect(classifyAddress(address)).toBe(range);
});

test("an IPv4 address inside an IPv6 one is what it is outside of it", () => {
  fc.assert(
    fc.property(fc.ipV4(), (address) => {
      const range = classifyAddress(address);
      expect(classifyAddress(`::ffff:${address}`)).toBe(range);
      expect(classifyAddress(`64:ff9b::${address}`)).toBe(range);
    }),
  );
});

test("whatever is no address is never public", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.domain(), fc.webUrl()), (text) => {
      expect(classifyAddress(text)).not.toBe("public");
    }),
  );
});
