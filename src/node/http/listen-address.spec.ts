import { describe, expect, test } from "vitest";
import { resolveListenAddress } from "./listen-address.ts";

describe("resolveListenAddress", () => {
  test.each([
    { listen: undefined, opEndpoint: undefined, expected: { host: "127.0.0.1", port: 52001 } },
    { listen: undefined, opEndpoint: "", expected: { host: "127.0.0.1", port: 52001 } },
    { listen: undefined, opEndpoint: "192.168.1.85:52001", expected: { host: undefined, port: 52001 } },
    { listen: undefined, opEndpoint: "resnet50", expected: { host: undefined, port: 80 } },
    { listen: undefined, opEndpoint: "[2001:db8::1]:9000", expected: { host: undefined, port: 9000 } },
    { listen: "0.0.0.0:8080", opEndpoint: "10.0.0.1:52001", expected: { host: "0.0.0.0", port: 8080 } },
    { listen: "[::1]:0", opEndpoint: undefined, expected: { host: "::1", port: 0 } },
    { listen: ":52001", opEndpoint: undefined, expected: { host: undefined, port: 52001 } },
    { listen: "*:52001", opEndpoint: undefined, expected: { host: undefined, port: 52001 } },
  ])("--listen $listen, OP_ENDPOINT $opEndpoint", ({ listen, opEndpoint, expected }) => {
    expect(resolveListenAddress(listen, opEndpoint)).toEqual(expected);
  });

  test.each([
    { listen: "localhost", opEndpoint: undefined, message: '--listen: expected HOST:PORT, got "localhost"' },
    { listen: "a:b", opEndpoint: undefined, message: '--listen: expected HOST:PORT, got "a:b"' },
    { listen: "", opEndpoint: undefined, message: '--listen: expected HOST:PORT, got ""' },
    {
      listen: "a:65536",
      opEndpoint: undefined,
      message: '--listen: expected a port from 0 to 65535, got "a:65536"',
    },
    {
      listen: undefined,
      opEndpoint: "a:0",
      message: 'OP_ENDPOINT: expected a port from 1 to 65535, got "a:0"',
    },
    {
      listen: undefined,
      opEndpoint: "http://a:1",
      message: 'OP_ENDPOINT: expected HOST:PORT, got "http://a:1"',
    },
    {
      listen: undefined,
      opEndpoint: "::1:52001",
      message: 'OP_ENDPOINT: expected HOST:PORT, got "::1:52001"',
    },
  ])("refuses --listen $listen, OP_ENDPOINT $opEndpoint", ({ listen, opEndpoint, message }) => {
    expect(() => resolveListenAddress(listen, opEndpoint)).toThrow(
      expect.objectContaining({ reason: "CONFIG_INVALID", message }),
    );
  });
});
