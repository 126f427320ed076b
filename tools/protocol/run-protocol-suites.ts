import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import tools from "../go-tools.json" with { type: "json" };
import { requireGoTool } from "../require-go-tool.ts";
import { requireTool } from "../require-tool.ts";
import { buildConformanceImage, outputFolder, readConformanceRegistry } from "./conformance-registry.ts";
import { readH2specReport } from "./h2spec-report.ts";
import { runSuiteProgram, type SuiteRun } from "./run-suite-program.ts";
import { startConformanceServer } from "./start-conformance-server.ts";

/**
 * `npm run protocol [-- COUNTS.json]`: the official suites of Connect and of HTTP/2 against our port and our
 * guard. Both are built from their pinned sources with Go.
 */

interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** The failed ones alone, for the report: those that pass are thousands. */
const results: { readonly name: string; readonly outcome: "failed"; readonly reason: string }[] = [];
function fail(name: string, reason: string): void {
  results.push({ name, outcome: "failed", reason });
  console.log(`FAILED: ${name}${reason === "" ? "" : `: ${reason}`}`);
}

/** How many cases there are, so that none is lost without a word. They are those of the versions in tools/go-tools.json. */
const conformanceCases = 2718;
const h2specCases = 145;

const timeoutMs = 180_000;
const fileHere = (name: string) => fileURLToPath(new URL(name, import.meta.url));

async function runConnectconformance(program: string): Promise<Counts> {
  const stderrPath = `${outputFolder}/connectconformance.log`;
  const run = await runSuiteProgram(
    [
      ...([program, "--mode", "server", "--conf", fileHere("connectconformance.yaml")] as const),
      ...["--", process.execPath, fileHere("server-under-test.ts")],
    ],
    { timeoutMs, stderrPath },
  );
  const [, passed = 0, failed = 0] = (/^(\d+) passed, (\d+) failed$/m.exec(run.stdout) ?? []).map(Number);
  console.log(run.stdout.trim());
  const isWhole = run.exitCode === 0 && passed === conformanceCases;
  for (const [, name = ""] of run.stdout.matchAll(/^FAILED: (.+?):?$/gm)) {
    results.push({ name, outcome: "failed", reason: "" });
  }
  if (!isWhole) {
    const got = `${passed} passed, ${describe(run)}; see ${stderrPath}`;
    fail("connectconformance", `expected exit code 0 and ${conformanceCases} passed, got ${got}`);
  }
  return { passed, failed: isWhole ? failed : Math.max(failed, 1), skipped: 0 };
}

/** What h2spec asks for: a call that is answered well, with a few bytes. */
const h2specPath = (() => {
  const message = { responseDefinition: { responseData: "UG9ydGljbw==" } };
  const query = new URLSearchParams({ connect: "v1", encoding: "json", message: JSON.stringify(message) });
  return `/connectrpc.conformance.v1.ConformanceService/IdempotentUnary?${query}`;
})();

/** All frames of a case come before its answer goes; which of them the answer met would otherwise be chance. */
const h2specHoldMs = 200;

async function runH2spec(program: string): Promise<Counts> {
  const { host, port, close } = await startConformanceServer(readConformanceRegistry(), 0, h2specHoldMs);
  const reportPath = `${outputFolder}/h2spec.xml`;
  rmSync(reportPath, { force: true });
  const run = await runSuiteProgram(
    [program, "-h", host, "-p", String(port), "-P", h2specPath, "-j", reportPath],
    { timeoutMs, stderrPath: `${outputFolder}/h2spec.log` },
  );
  const after = await fetch(`http://${host}:${port}${h2specPath}`);
  await close();
  if (run.exitCode === undefined || after.status !== 200) {
    fail("h2spec", `expected a whole run and status 200 after it, got ${describe(run)}, ${after.status}`);
    return { passed: 0, failed: 1, skipped: 0 };
  }

  const result = readH2specReport(readFileSync(reportPath, "latin1"));
  const { passed, failed, accounted, mended } = result;
  for (const name of failed) fail(name, "");
  for (const name of mended) console.log(`no longer fails, take it off the list: ${name}`);
  const total = passed.length + result.skipped.length + failed.length + accounted.length;
  const lost = total === h2specCases ? 0 : 1;
  if (lost > 0) fail("h2spec", `expected ${h2specCases} cases, got ${total}: ${run.stdout}`);
  console.log(`${passed.length} passed, ${failed.length} failed, ${accounted.length} fail as accounted for`);
  return {
    passed: passed.length,
    failed: failed.length + lost,
    skipped: result.skipped.length,
  };
}

function describe({ exitCode, seconds }: SuiteRun): string {
  return exitCode === undefined ? `killed after ${seconds.toFixed(0)} s` : `exit code ${exitCode}`;
}

const suites = [
  { name: "connectconformance", run: runConnectconformance },
  { name: "h2spec", run: runH2spec },
] as const;

const total = { passed: 0, failed: 0, skipped: 0 };
const go = requireTool("go");
if (go !== undefined)
  buildConformanceImage(go, `connectrpc.com/conformance@${tools.connectconformance.version}`);
for (const { name, run } of suites) {
  const { version } = tools[name];
  const program = go && requireGoTool(name);
  if (!program) {
    total.skipped++;
    continue;
  }
  console.log(`\n== ${name} ${version}`);
  const started = performance.now();
  const counts = await run(program);
  console.log(`== ${name}: ${((performance.now() - started) / 1000).toFixed(1)} s`);
  total.passed += counts.passed;
  total.failed += counts.failed;
  total.skipped += counts.skipped;
}
console.log(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
const [countsPath] = process.argv.slice(2);
if (countsPath !== undefined) writeFileSync(countsPath, JSON.stringify({ ...total, results }));
process.exitCode = total.failed > 0 ? 1 : 0;
