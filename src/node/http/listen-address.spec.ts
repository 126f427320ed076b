import { describe, expect, test } from "vitest";
import { resolveListenAddress } from "./listen-address.ts";

describe("resolveListenAddress", () => {
  test.each([
    { listen: undefined, opEndpoint: undefined, expected: { host: "127.0.0.1", port: 52001 } },
    { listen: undefined, opEndpoint: "", expected: { host: "127.0.0.1", port: 52001 } },
    { listen: undefined, opEndpoint: "192.168.1.85:52001", expected: { host: undefined, port: 52001 } },
    { listen: undefined, opEndpoint: "resnet50", expected: { host: undefined, port: 80 } },
    { listen: undefined, opEndpoint: "[2001:db8::1]:9000", expected: { host: undefined, port: 9000 } },
    { listen: undefined, opEndpoint: "my_host.local-1:9000", expected: { host: undefined, port: 9000 } },
    { listen: "[fe80::1%eth0]:9000", opEndpoint: undefined, expected: { host: "fe80::1%eth0", port: 9000 } },
    { listen: "0.0.0.0:8080", opEndpoint: "10.0.0.1:52001", expected: { host: "0.0.0.0", port: 8080 } },
    { listen: "[::1]:0", opEndpoint: undefined, expected: { host: "::1", port: 0 } },
    { listen: ":52001", opEndpoint: undefined, expected: { host: undefined, port: 52001 } },
    { listen: "*:52001", opEndpoint: undefined, expected: { host: undefined, port: 52001 } },
  ])("--listen $listen, OP_ENDPOINT $opEndpoint", ({ listen, opEndpoint, expected }) => {
    expect(resolveListenAddress(listen, opEndpoint)).toEqual(expected);
  });

  const callers = "HOST is the address that callers use, as in 192.168.1.85:52001";
  const own = "HOST is an address of this machine, as in 127.0.0.1:52001 or *:52001";

  test.each<[text: string, expected: string, mend?: string]>([
    ["localhost", "HOST:PORT", own],
    ["a:b", "HOST:PORT", own],
    ["", "HOST:PORT", own],
    ["256.1.1.1:1", "HOST:PORT", own],
    ["::1", "HOST:PORT", "an IPv6 address needs brackets, as in [::1]:52001"],
    ["a:65536", "a port from 0 to 65535"],
  ])("refuses --listen %j", (text, expected, mend) => {
    const message = `--listen: expected ${expected}, got ${JSON.stringify(text)}${mend ? `; ${mend}` : ""}`;
    expect(() => resolveListenAddress(text, undefined)).toThrow(
      expect.objectContaining({ reason: "CONFIG_INVALID", message }),
    );
  });

  test.each<[text: string, expected: string, mend?: string]>([
    ["a:0", "a port from 1 to 65535"],
    ["a:65536", "a port from 1 to 65535"],
    ["a:100000", "a port from 1 to 65535"],
    [" ", "HOST:PORT", callers],
    ["a:", "HOST:PORT", callers],
    [":52001", "HOST:PORT", callers],
    ["*:52001", "HOST:PORT", callers],
    ["a:b", "HOST:PORT", callers],
    ["a:-1", "HOST:PORT", callers],
    ["a:1/", "HOST:PORT", callers],
    ["a:1 ", "HOST:PORT", callers],
    ["a:1\r", "HOST:PORT", callers],
    ["a:1\n", "HOST:PORT", callers],
    ["a:1:2", "HOST:PORT", callers],
    ["a:1,b:2", "HOST:PORT", callers],
    ["a,b:1", "HOST:PORT", callers],
    ["$ADDRESS:1", "HOST:PORT", callers],
    ["user@host:1", "HOST:PORT", callers],
    ["h\u00f6st:1", "HOST:PORT", callers],
    ["a:\uff18\uff10", "HOST:PORT", callers],
    ["\u0000:1", "HOST:PORT", callers],
    ['"a:1"', "HOST:PORT", callers],
    ["256.1.1.1:1", "HOST:PORT", callers],
    ["[a]:1", "HOST:PORT", callers],
    ["[::1:1", "HOST:PORT", callers],
    ["http://a:1", "HOST:PORT", "leave out http://"],
    ["::1", "HOST:PORT", "an IPv6 address needs brackets, as in [::1]:52001"],
    ["2001:db8::1:52001", "HOST:PORT", "an IPv6 address needs brackets, as in [2001:db8::1]:52001"],
  ])("refuses OP_ENDPOINT %j", (text, expected, mend) => {
    const message = `OP_ENDPOINT: expected ${expected}, got ${JSON.stringify(text)}${mend ? `; ${mend}` : ""}`;
    expect(() => resolveListenAddress(undefined, text)).toThrow(
      expect.objectContaining({ reason: "CONFIG_INVALID", message }),
    );
  });
});
