import { describe, expect, test } from "vitest";
import { isLoopback, isUnspecified, parseEndpoint } from "./endpoint-address.ts";

describe("an operator's endpoint", () => {
  test.each([
    ["10.0.0.8:52001", { host: "10.0.0.8", port: 52001 }],
    ["portico-1.lan:80", { host: "portico-1.lan", port: 80 }],
    ["my_service:65535", { host: "my_service", port: 65535 }],
    ["[2001:db8::7]:1", { host: "2001:db8::7", port: 1 }],
  ])("%s is one", (text, parts) => {
    expect(parseEndpoint(text, "--endpoint")).toEqual({ text, ...parts });
  });

  test.each([
    "",
    "10.0.0.8",
    ":52001",
    "10.0.0.8:0",
    "10.0.0.8:65536",
    "10.0.0.8:52001/",
    "2001:db8::7:52001",
    "a b:1",
    "user@host:1",
    "10.0.0.8:52001\n",
  ])("%j is none", (text) => {
    expect(() => parseEndpoint(text, "--endpoint")).toThrow(`--endpoint: expected HOST:PORT, got "${text}"`);
  });

  test("a URL is none either", () => {
    expect(() => parseEndpoint("http://10.0.0.8:52001", "--endpoint")).toThrow(
      '--endpoint: expected HOST:PORT, without http://, got "http://10.0.0.8:52001"',
    );
  });

  test.each([
    ["127.0.0.1", true, false],
    ["127.8.9.10", true, false],
    ["localhost", true, false],
    ["LOCALHOST.", true, false],
    ["a.localhost", true, false],
    ["::1", true, false],
    ["[::1]", true, false],
    ["0:0:0:0:0:0:0:1", true, false],
    ["0.0.0.0", false, true],
    ["::", false, true],
    ["[::]", false, true],
    ["0:0:0:0:0:0:0:0", false, true],
    ["10.0.0.8", false, false],
    ["1271.example", false, false],
    ["127.example", false, false],
    ["localhost.example", false, false],
    ["2001:db8::1", false, false],
    ["::2", false, false],
  ])("%s: loopback %s, all interfaces %s", (host, loopback, unspecified) => {
    expect({ loopback: isLoopback(host), unspecified: isUnspecified(host) }).toEqual({
      loopback,
      unspecified,
    });
  });
});
