import { expect, test } from "vitest";
import { Health } from "../../gen/grpc/health/v1/health_pb.ts";
import { ServerReflection } from "../../gen/grpc/reflection/v1/reflection_pb.ts";
import { Operator } from "../../gen/omnisearch/operator_pb.ts";
import { EmbeddingService } from "../../gen/portico/v1/embedding_pb.ts";
import { defaultHttpLimits, tinyRequestMaxBytes } from "./http-limits.ts";
import { requestMaxBytes } from "./message-limit-router.ts";

test("only RPCs that take pictures take long requests", () => {
  const methods = [Operator, EmbeddingService, Health].flatMap((service) => service.methods);
  const long = methods.filter((method) => requestMaxBytes(method, defaultHttpLimits) > 64 * 2 ** 10);
  const names = long.map((method) => `${method.parent.typeName}/${method.name}`);
  expect(names).toEqual([
    "omnisearch.Operator/Execute",
    "portico.v1.EmbeddingService/Embed",
    "portico.v1.EmbeddingService/EmbedStream",
  ]);
});

test("every row names an RPC, and all others of these services take a name or nothing", () => {
  const methods = [Operator, EmbeddingService, Health].flatMap((service) => service.methods);
  const names = methods.map((method) => `${method.parent.typeName}/${method.name}`);
  expect(Object.keys(defaultHttpLimits.requestMaxBytesByRpc).sort()).toEqual(names.sort());
  const sizes = new Set(methods.map((method) => requestMaxBytes(method, defaultHttpLimits)));
  expect(sizes).toEqual(new Set([tinyRequestMaxBytes, 100 * 2 ** 20]));
});

test.each([
  [Operator.method.execute, 100 * 2 ** 20, 100 * 2 ** 20],
  [Operator.method.execute, 1_000, 1_000],
  [Operator.method.identity, 100 * 2 ** 20, 1_024],
  [Operator.method.identity, 1_000, 1_000],
  [ServerReflection.method.serverReflectionInfo, 100 * 2 ** 20, 64 * 2 ** 10],
])("%s, with at most %d bytes for any message: %d bytes", (method, messageMaxBytes, expected) => {
  expect(requestMaxBytes(method, { ...defaultHttpLimits, messageMaxBytes })).toBe(expected);
});
