import { describe, expect, test } from "vitest";
import { defaultFetchPolicy, parseAllowHosts, toFetchRules } from "./fetch-policy.ts";

const matches: readonly [entry: string, hostname: string, port: number, allowed: boolean][] = [
  ["minio", "minio", 80, true],
  ["minio", "minio", 443, true],
  ["minio", "minio", 9000, false],
  ["minio:9000", "minio", 9000, true],
  ["minio:9000", "minio", 80, false],
  ["MinIO.Local:9000", "minio.local", 9000, true],
  ["minio:80", "minio", 80, true],
  ["minio:80", "minio", 443, false],
  ["minio", "minio.example", 80, false],
  ["minio", "a.minio", 80, false],
  ["example.com", "example.com.evil.example", 80, false],
  ["127.0.0.1:9000", "127.0.0.1", 9000, true],
  ["127.1:9000", "127.0.0.1", 9000, true],
  ["[::1]:9000", "[::1]", 9000, true],
  ["[0:0::1]", "[::1]", 80, true],
  ["bücher.example", "xn--bcher-kva.example", 443, true],
  [" minio ", "minio", 80, true],
];

const refused = [
  "",
  ":80",
  "*.example.com",
  "http://minio",
  "minio/",
  "minio:",
  "minio:0",
  "minio:65536",
  "minio:9000:1",
  "user@minio",
  "::1",
  "[::1",
  "a b",
  "mi%6eio",
  "999.1.1.1",
];

describe("parseAllowHosts", () => {
  test.each(matches)("%j lets %s:%i pass: %s", (entry, hostname, port, allowed) => {
    expect(parseAllowHosts(["other:1", entry])(hostname, port)).toBe(allowed);
  });

  test.each(refused)("refuses %j", (entry) => {
    expect(() => parseAllowHosts([entry])).toThrow(
      expect.objectContaining({
        reason: "CONFIG_INVALID",
        message: `expected HOST or HOST:PORT in --allow-hosts (an IPv6 address in brackets), got ${JSON.stringify(entry)}`,
      }),
    );
  });
});

test.each([
  ["off", ["minio:9000"], "expected --allow-hosts with --urls public or listed, got --urls off"],
  ["listed", [], "expected at least one host in --allow-hosts with --urls listed, got none"],
] as const)("--urls %s contradicts --allow-hosts %j", (mode, allowHosts, message) => {
  expect(() => toFetchRules({ ...defaultFetchPolicy, mode, allowHosts })).toThrow(
    expect.objectContaining({ reason: "CONFIG_INVALID", message }),
  );
});

test.each(["listed", "off"] as const)("--allow-private contradicts --urls %s", (mode) => {
  expect(() => toFetchRules({ ...defaultFetchPolicy, mode, allowPrivate: true })).toThrow(
    expect.objectContaining({
      reason: "CONFIG_INVALID",
      message: `expected --allow-private with --urls public only, got --urls ${mode}`,
    }),
  );
});
