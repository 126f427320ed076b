import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createFetch, honestParts } from "../../conformance/honest-operator/honest-operator.ts";
import { type RunningOperator, serveGrpc } from "../../conformance/honest-operator/serve-operator.ts";
import { type ConformanceOptions, parseAuthority, runConformance } from "./run-conformance.ts";

let operator: RunningOperator;
let folder: string;

beforeAll(async () => {
  operator = await serveGrpc(honestParts(createFetch("nowhere:1")));
  folder = await mkdtemp(join(tmpdir(), "conformance-"));
});

afterAll(async () => {
  await operator.close();
  await rm(folder, { recursive: true });
});

async function run(change: Partial<ConformanceOptions>): Promise<{ passed: boolean; lines: string[] }> {
  const lines: string[] = [];
  const passed = await runConformance({
    endpoint: operator.authority,
    target: "portico",
    profile: "portico",
    protocols: ["grpc"],
    filter: undefined,
    fixtureHost: undefined,
    timeoutMs: 10_000,
    json: undefined,
    junit: undefined,
    list: false,
    print: (line) => lines.push(line),
    ...change,
  });
  return { passed, lines };
}

test("table, closing line and both reports", async () => {
  const [json, junit] = [join(folder, "report.json"), join(folder, "report.xml")];
  const { passed, lines } = await run({ filter: "request/*", json, junit });
  expect(passed).toBe(true);
  expect(lines[0]).toMatch(
    /^fixtures are served on http:\/\/127\.0\.0\.1:\d+ \(start Portico with --allow-hosts /,
  );
  expect(lines.at(-2)).toBe("largest difference from a Keras vector: 0.00e+0");
  expect(lines.at(-1)).toBe("11 passed, 0 failed, 1 skipped");
  const report = JSON.parse(await readFile(json, "utf8")) as Record<string, unknown>;
  expect(report).toMatchObject({
    endpoint: operator.authority,
    passed: 11,
    failed: 0,
    skipped: 1,
    maxAbs: 0,
  });
  expect(await readFile(junit, "utf8")).toContain(
    '<testsuite name="execute_request" tests="12" failures="0"',
  );
});

test("a failure is told in the result", async () => {
  // Nothing may be fetched here, and a fixture host is given, so that the case is not skipped.
  const { passed, lines } = await run({ filter: "urls/one", fixtureHost: "127.0.0.1:0" });
  expect(passed).toBe(false);
  expect(lines[1]).toMatch(/^urls\/one {2}grpc {2}FAIL: expected a reply, got invalid_argument/);
  expect(lines.at(-1)).toBe("0 passed, 1 failed, 0 skipped");
});

test("without --fixture-host the cases that need it are skipped", async () => {
  const { passed, lines } = await run({ filter: "urls/one" });
  expect(passed).toBe(true);
  expect(lines[1]).toBe(
    "urls/one  grpc  skipped: needs --fixture-host HOST:PORT, and an operator that may fetch from it",
  );
});

test("the profile contract leaves Portico's own promises out", async () => {
  const { lines } = await run({ profile: "contract", list: true, endpoint: undefined });
  expect(lines).toContain("request/batch-in-order@grpc");
  expect(lines.filter((line) => line.startsWith("errors/"))).toEqual([]);
});

test("another model has another Identity, and its other cases are not skipped", async () => {
  const identity = await run({ target: "phantoscope", filter: "identity/*", list: true });
  expect(identity.lines).toEqual([
    "identity/resnet50-encoder@grpc (skipped: the target's model is unknown, not resnet50)",
    "identity/encoder-of-images@grpc",
  ]);
  const photographs = await run({ target: "phantoscope", filter: "photographs/*canyon", list: true });
  expect(photographs.lines).toEqual(["photographs/black-canyon@grpc"]);
});

test.each([
  [{ endpoint: undefined }, "expected --endpoint HOST:PORT, got none"],
  [{ endpoint: "127.0.0.1" }, 'expected --endpoint HOST:PORT, got "127.0.0.1"'],
  [{ fixtureHost: "::1" }, 'expected --fixture-host HOST:PORT, got "::1"'],
  [
    { endpoint: "127.0.0.1:1" },
    "no operator listens on 127.0.0.1:1 (--endpoint): connect ECONNREFUSED 127.0.0.1:1",
  ],
  [
    { target: "nobody" },
    'no target "nobody" (--target); there are: phantoscope-processor, phantoscope, portico-preview, portico-webgpu, portico, reference-operator',
  ],
  [{ protocols: ["quic"] }, 'expected --protocol of grpc, grpc-web, connect, got "quic"'],
  [
    { protocols: ["connect"], target: "phantoscope" },
    "the target phantoscope speaks grpc, not connect: see --target",
  ],
  [{ filter: "nothing/*" }, "no case of the profile portico matches nothing/*"],
  [{ filter: "healthy/*", json: "/nowhere/report.json" }, "cannot write the report /nowhere/report.json"],
] as const)("wrong usage: %#", async (change, message) => {
  const failed = run(change as Partial<ConformanceOptions>);
  await expect(failed).rejects.toMatchObject({
    reason: "CONFIG_INVALID",
    message: expect.stringContaining(message),
  });
});

test.each([
  ["127.0.0.1:52001", { host: "127.0.0.1", port: 52001, authority: "127.0.0.1:52001" }],
  ["[::1]:80", { host: "::1", port: 80, authority: "[::1]:80" }],
  ["resnet50:80", { host: "resnet50", port: 80, authority: "resnet50:80" }],
])("%s", (text, parsed) => {
  expect(parseAuthority(text, "--endpoint")).toEqual(parsed);
});

test.each(["", ":80", "host:", "host:70000", "http://host:80", "::1:80"])("no host:port: %s", (text) => {
  expect(() => parseAuthority(text, "--endpoint")).toThrow("expected --endpoint HOST:PORT");
});
