import { afterAll, beforeAll, expect, test } from "vitest";
import type { TestResult } from "../../src/conformance/run-tests.ts";
import { serveConnect, serveGrpc } from "./serve-operator.ts";
import { openTestBench, type TestBench } from "./test-bench.ts";

let bench: TestBench;

beforeAll(async () => {
  bench = await openTestBench();
});

afterAll(() => bench.close());

const notPassed = (results: readonly TestResult[]) =>
  results
    .filter(({ outcome }) => outcome !== "passed")
    .map(({ name, transport, reason }) => `${name}@${transport}: ${reason}`);

const transportsOf = (results: readonly TestResult[]) => new Set(results.map(({ transport }) => transport));

test("every case passes over gRPC, served by @grpc/grpc-js", async () => {
  const operator = await serveGrpc(bench.honest);
  const results = await bench.run(operator, ({ transport }) => transport.name === "grpc");
  expect(notPassed(results)).toEqual([]);
  expect(results.length).toBeGreaterThan(140);
});

test("every case passes over gRPC-Web and Connect on HTTP/1.1, served by connect-node", async () => {
  const http1 = ["grpc-web", "connect", "connect-json"];
  const operator = await serveConnect(bench.honest, "http/1.1");
  const results = await bench.run(operator, ({ transport }) => http1.includes(transport.name));
  expect(notPassed(results)).toEqual([]);
  expect(transportsOf(results)).toEqual(new Set(http1));
});

test("the cases for every transport pass over h2c, served by connect-node", async () => {
  const h2c = ["grpc", "grpc-web-h2c", "connect-h2c", "connect-json-h2c"];
  const operator = await serveConnect(bench.honest, "h2c");
  const results = await bench.run(
    operator,
    ({ testCase, transport }) => testCase.everyTransport && h2c.includes(transport.name),
  );
  expect(notPassed(results)).toEqual([]);
  expect(transportsOf(results)).toEqual(new Set(h2c));
});
