import { describe, expect, test } from "vitest";
import { checkAddress } from "./address-check.ts";

const verdicts: readonly [address: string, kind: string, why: string][] = [
  ["8.8.8.8", "public", "unicast"],
  ["1.1.1.1", "public", "unicast"],
  ["172.15.255.255", "public", "unicast"],
  ["172.32.0.0", "public", "unicast"],
  ["2606:4700:4700::1111", "public", "unicast"],
  ["[2606:4700:4700::1111]", "public", "unicast"],
  ["::ffff:8.8.8.8", "public", "unicast"],
  ["64:ff9b::808:808", "public", "unicast"],

  ["0.0.0.0", "private", "unspecified"],
  ["0.1.2.3", "private", "unspecified"],
  ["10.0.0.1", "private", "private"],
  ["100.64.0.1", "private", "carrierGradeNat"],
  ["127.0.0.1", "private", "loopback"],
  ["127.255.255.254", "private", "loopback"],
  ["172.16.0.1", "private", "private"],
  ["172.31.255.255", "private", "private"],
  ["192.168.1.1", "private", "private"],
  ["192.0.2.1", "private", "reserved"],
  ["198.18.0.1", "private", "reserved"],
  ["224.0.0.1", "private", "multicast"],
  ["240.0.0.1", "private", "reserved"],
  ["255.255.255.255", "private", "broadcast"],

  ["169.254.169.254", "metadata", "cloud metadata service"],
  ["169.254.170.2", "metadata", "cloud metadata service"],
  ["168.63.129.16", "metadata", "cloud metadata service"],
  ["192.80.8.124", "metadata", "cloud metadata service"],
  ["100.100.100.200", "metadata", "cloud metadata service"],
  ["192.0.0.192", "metadata", "cloud metadata service"],
  ["fd00:ec2::254", "metadata", "cloud metadata service"],
  ["fd20:ce::254", "metadata", "cloud metadata service"],
  ["::ffff:169.254.169.254", "metadata", "ipv4Mapped of cloud metadata service"],
  ["64:ff9b::a83f:8110", "metadata", "rfc6052 of cloud metadata service"],
  ["2002:a9fe:a9fe::1", "metadata", "6to4 of cloud metadata service"],

  ["::", "private", "unspecified"],
  ["::1", "private", "loopback"],
  ["fe80::1", "private", "linkLocal"],
  ["fe80::1%eth0", "private", "not a plain IP address"],
  ["fc00::1", "private", "uniqueLocal"],
  ["fd12:3456::1", "private", "uniqueLocal"],
  ["fec0::1", "private", "deprecatedSiteLocal"],
  ["ff02::1", "private", "multicast"],
  ["100::1", "private", "discard"],
  ["5f00::1", "private", "segmentRouting"],
  ["4000::1", "private", "outside 2000::/3"],
  ["2001:db8::1", "private", "reserved"],
  ["3fff::1", "private", "reserved"],
  ["::ffff:127.0.0.1", "private", "ipv4Mapped of loopback"],
  ["::ffff:a00:1", "private", "ipv4Mapped of private"],
  ["::ffff:0:7f00:1", "private", "rfc6145 of loopback"],
  ["::ffff:0:808:808", "private", "rfc6145"],
  ["::127.0.0.1", "private", "ipv4Compatible of loopback"],
  ["::808:808", "private", "outside 2000::/3"],
  ["::8.8.8.8", "private", "outside 2000::/3"],
  ["64:ff9b::7f00:1", "private", "rfc6052 of loopback"],
  ["64:ff9b:1::808:808", "private", "rfc6052"],
  ["2002:7f00:1::", "private", "6to4 of loopback"],
  ["2002:808:808::1", "private", "6to4"],
  // Teredo with the client 127.0.0.1, its bits turned over; then with 8.8.8.8.
  ["2001:0:4136:e378:8000:63bf:80ff:fffe", "private", "teredo of loopback"],
  ["2001:0:4136:e378:8000:63bf:f7f7:f7f7", "private", "teredo"],
  ["2606:4700::5efe:7f00:1", "private", "isatap of loopback"],
  ["2606:4700::200:5efe:10.0.0.1", "private", "isatap of private"],

  ["", "private", "not a plain IP address"],
  ["localhost", "private", "not a plain IP address"],
  ["0x7f000001", "private", "not a plain IP address"],
  ["127.1", "private", "not a plain IP address"],
  ["0177.0.0.1", "private", "not a plain IP address"],
];

describe("checkAddress", () => {
  test.each(verdicts)("%s is %s: %s", (address, kind, why) => {
    expect(checkAddress(address)).toEqual({ kind, why });
  });
});
