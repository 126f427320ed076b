import { brotliCompressSync, gzipSync } from "node:zlib";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestServer, type TestServer } from "../../../tools/start-test-server.ts";
import { Operator } from "../../gen/omnisearch/operator_pb.ts";

let running: TestServer;
beforeAll(async () => {
  const mayGet = { idempotency: MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS } as const;
  running = await startTestServer(
    (router) => {
      router.service(Operator, {});
      router.rpc({ ...Operator.method.healthy, ...mayGet }, () => ({ healthy: "healthy" }));
    },
    { messageMaxElements: 10 },
  );
});
afterAll(() => running.server.close({ graceMs: 0 }));

/** So many empty fields. */
const fields = (count: number) => Buffer.alloc(2 * count, "\x12\0");
const base64 = (bytes: Uint8Array) => `&base64=1&message=${Buffer.from(bytes).toString("base64url")}`;
const tooMany = (elements: string) =>
  `REQUEST_TOO_LARGE: expected at most 10 ${elements} in one message, got at least 11`;
const notHealthy = "REQUEST_INVALID: expected omnisearch.HealthyRequest in protobuf's wire format, got";
const good: [string, string, string][] = [
  ["json", "encoding=json&message=%7B%7D", '{"healthy":"healthy"}'],
  ["json in base64", `encoding=json${base64(Buffer.from("{}"))}`, '{"healthy":"healthy"}'],
  ["proto", `encoding=proto${base64(fields(10))}`, "\n\x07healthy"],
  ["proto, gzip", `encoding=proto&compression=gzip${base64(gzipSync(fields(10)))}`, "\n\x07healthy"],
  ["proto without a message", "encoding=proto", "\n\x07healthy"],
];
test.each(good)("is answered: %s", async (_, query, reply) => {
  const response = await fetch(`${running.url}/omnisearch.Operator/Healthy?connect=v1&${query}`);
  expect([response.status, await response.text()]).toEqual([200, reply]);
});

const bad: [string, string, string, string][] = [
  [
    "json",
    `encoding=json&message=[${",1".repeat(10)}]`,
    "resource_exhausted",
    tooMany("brackets, braces and commas"),
  ],
  ["proto", `encoding=proto${base64(fields(11))}`, "resource_exhausted", tooMany("fields")],
  [
    "proto, br",
    `encoding=proto&compression=br${base64(brotliCompressSync(fields(11)))}`,
    "resource_exhausted",
    tooMany("fields"),
  ],
  [
    "malformed proto",
    `encoding=proto${base64(Uint8Array.of(0x12, 0x7f))}`,
    "invalid_argument",
    `${notHealthy} 2 bytes that are not: premature EOF`,
  ],
  [
    "no base64",
    "encoding=proto&base64=1&message=***",
    "invalid_argument",
    "REQUEST_INVALID: expected base64 in the parameter message of the URL, got 3 characters that are not",
  ],
  [
    "an unknown compression",
    "encoding=json&compression=zstd&message=%7B%7D",
    "unimplemented",
    'unknown compression "zstd": supported encodings are gzip,br',
  ],
];
test.each(bad)("is refused: %s", async (_, query, code, message) => {
  const response = await fetch(`${running.url}/omnisearch.Operator/Healthy?connect=v1&${query}`);
  expect(await response.json()).toEqual({ code, message });
});

test("an RPC that has effects is not called", async () => {
  const response = await fetch(
    `${running.url}/omnisearch.Operator/Identity?connect=v1&encoding=json&message=%7B%7D`,
  );
  expect(response.status).toBe(405);
});
