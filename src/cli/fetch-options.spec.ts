import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { afterAll, beforeAll, expect, test } from "vitest";
import { defaultFetchPolicy } from "../node/fetch/fetch-policy.ts";
import { addFetchOptions, toFetchPolicy } from "./fetch-options.ts";

let folder: string;
let headers: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "portico-fetch-options-"));
  headers = join(folder, "headers.json");
  await writeFile(headers, '{"https://cdn.example": {"X-Key": "5ecret"}}');
});
afterAll(() => rm(folder, { recursive: true }));

function policyOf(...args: string[]) {
  const command = addFetchOptions(new Command())
    .exitOverride()
    .configureOutput({ writeErr: () => undefined });
  command.parse(args, { from: "user" });
  return toFetchPolicy(command.opts());
}

test("without options the policy is the default one", () => {
  expect(policyOf()).toEqual(defaultFetchPolicy);
});

test("every option arrives", () => {
  const args = [
    "--urls public --allow-hosts minio:9000,a --allow-hosts b --allow-private --fetch-timeout-ms 1",
    "--fetch-max-redirects 0 --max-concurrent-fetches 2 --fetch-user-agent Gallery --max-image-bytes 3",
  ];
  expect(policyOf(...args.join(" ").split(" "), "--fetch-headers", headers)).toEqual({
    mode: "public",
    allowHosts: ["minio:9000", "a", "b"],
    allowPrivate: true,
    timeoutMs: 1,
    maxRedirects: 0,
    maxConcurrent: 2,
    userAgent: "Gallery",
    maxBytes: 3,
    headersByOrigin: new Map([["https://cdn.example", { "x-key": "5ecret" }]]),
  });
});

test.each([
  [["--urls", "all"], /Allowed choices are public, listed, off/],
  [["--fetch-timeout-ms", "0"], /expected an integer from 1 to 2147483647, got "0"/],
  [["--fetch-max-redirects", "-1"], /expected an integer from 0 to 999, got "-1"/],
  [["--fetch-max-redirects", "1000"], /expected an integer from 0 to 999, got "1000"/],
  [["--max-concurrent-fetches", "0"], /expected an integer of at least 1, got "0"/],
  [["--fetch-user-agent", "a\r\nb: c"], /expected printable characters in one line/],
  [["--fetch-user-agent", ""], /expected printable characters in one line/],
])("%j is refused", (args, message) => {
  expect(() => policyOf(...args)).toThrow(message);
});

test("a file of --fetch-headers that is not there, or is wrong, is named", async () => {
  const missing = join(folder, "missing.json");
  expect(() => policyOf("--fetch-headers", missing)).toThrow(
    `expected a file in --fetch-headers, got ${missing} (ENOENT)`,
  );
  const wrong = join(folder, "wrong.json");
  await writeFile(wrong, '{"cdn.example": {}}');
  expect(() => policyOf("--fetch-headers", wrong)).toThrow(
    `expected headers by origin in --fetch-headers ${wrong}, but the entry "cdn.example" is no origin`,
  );
});
