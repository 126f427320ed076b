import { expect, test } from "vitest";
import { Health } from "../gen/grpc/health/v1/health_pb.ts";
import { Operator } from "../gen/omnisearch/operator_pb.ts";
import { EmbeddingService } from "../gen/portico/v1/embedding_pb.ts";
import { defaultHttpLimits } from "./http-limits.ts";
import { requestMaxBytes } from "./message-limit-router.ts";

test("only RPCs that take pictures take long requests", () => {
  const methods = [Operator, EmbeddingService, Health].flatMap((service) => service.methods);
  const long = methods.filter((method) => requestMaxBytes(method, defaultHttpLimits) > 64 * 2 ** 10);
  const names = long.map((method) => `${method.parent.typeName}/${method.name}`);
  expect(names).toEqual(Object.keys(defaultHttpLimits.requestMaxBytesByRpc));
});

test.each([
  [Operator.method.execute, 100 * 2 ** 20, 100 * 2 ** 20],
  [Operator.method.execute, 1_000, 1_000],
  [Operator.method.identity, 100 * 2 ** 20, 64 * 2 ** 10],
  [Operator.method.identity, 1_000, 1_000],
])("%s, with at most %d bytes for any message: %d bytes", (method, messageMaxBytes, expected) => {
  expect(requestMaxBytes(method, { ...defaultHttpLimits, messageMaxBytes })).toBe(expected);
});
