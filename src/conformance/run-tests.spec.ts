import { afterAll, beforeAll, expect, test } from "vitest";
import { serveGrpc } from "../../conformance/honest-operator/serve-operator.ts";
import { openTestBench, type TestBench } from "../../conformance/honest-operator/test-bench.ts";
import { parseKnownFailing } from "./known-failing.ts";

let bench: TestBench;

beforeAll(async () => {
  bench = await openTestBench();
});

afterAll(() => bench.close());

/** The run of one case over gRPC, with a list of known failures, on an operator that is ill or well. */
async function runHealthy(list: string, healthy: string) {
  const operator = await serveGrpc({ ...bench.honest, healthy: () => healthy });
  const [result] = await bench.run(
    operator,
    ({ testCase, transport }) => testCase.name === "healthy/says-healthy" && transport.name === "grpc",
    parseKnownFailing(list, "list.txt"),
  );
  return result;
}

test("a known failure that fails is skipped with its reason", async () => {
  expect(await runHealthy("healthy/* it is ill", "ill")).toMatchObject({
    outcome: "skipped",
    reason: "known failing: it is ill",
  });
});

test("a known failure that passes fails the run", async () => {
  expect(await runHealthy("healthy/*@grpc it is ill", "healthy")).toMatchObject({
    outcome: "failed",
    reason: 'passes, but "healthy/*@grpc" is listed as known failing',
  });
});

test("another case's known failure changes nothing", async () => {
  expect(await runHealthy("errors/* it is ill", "ill")).toMatchObject({ outcome: "failed" });
});
