import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import {
  type FailedCase,
  failedCaseLines,
  failedTestLines,
  limitLines,
  strayErrorLines,
  type VitestFile,
} from "./failed-tests.ts";
import { strayErrorsJson } from "./vitest-stray-errors.ts";

/**
 * `npm test`: every check of the project, one after the other, with one closing line for all of them.
 * `npm test -- NAME...` runs only the steps with these names. What failed is named last, since a log is often
 * read by its end alone.
 */

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

interface Step {
  readonly name: string;
  readonly command: readonly string[];
  /** What the step writes about its cases; without it the step is one case. */
  readonly report?: Report;
}

interface Report {
  /** Removed before the step, so that none of an earlier run is read. */
  readonly files: readonly string[];
  readonly count: () => Counts;
  /** Which cases failed, and why. */
  readonly failures: () => string[];
}

/** A log shows its last lines; these are for what failed. */
const failureLinesMax = 40;

const output = "output";
const vitestJson = `${output}/vitest.json`;
const conformanceJson = `${output}/conformance.json`;
const simdJson = `${output}/conformance-simd.json`;
const processorJson = `${output}/conformance-processor.json`;
const protocolJson = `${output}/protocol.json`;
const packedJson = `${output}/packed.json`;
const soakJson = `${output}/soak.json`;
const composeJson = `${output}/deploy-compose.json`;

const steps: readonly Step[] = [
  { name: "format-and-lint", command: ["biome", "ci", "--error-on-warnings", "."] },
  { name: "buf-lint", command: ["buf", "lint"] },
  { name: "buf-format", command: ["buf", "format", "--diff", "--exit-code"] },
  { name: "types", command: ["tsc", "-p", "tsconfig.json"] },
  { name: "types-core", command: ["tsc", "-p", "tsconfig.core.json"] },
  {
    name: "prepare",
    command: ["node", "src/cli/portico.ts", "prepare", "--force"],
  },
  ...["fp16", "int8"].map((variant) => ({
    name: `prepare-${variant}`,
    command: ["node", "src/cli/portico.ts", "prepare", "--variant", variant, "--force"],
  })),
  {
    name: "unit",
    command: [
      ...["vitest", "run", "--reporter=default", "--reporter=./tools/vitest-stray-errors.ts"],
      ...["--reporter=json", `--outputFile.json=${vitestJson}`],
    ],
    report: { files: [vitestJson, strayErrorsJson], count: countVitest, failures: readVitestFailures },
  },
  { name: "build", command: ["node", "tools/build.ts"] },
  {
    name: "package",
    command: ["node", "tools/package/test-package.ts", packedJson],
    report: caseReport(packedJson),
  },
  { name: "page-sizes", command: ["node", "bench/sizes.ts", "--check"] },
  {
    name: "verify-dist",
    // All fixtures on this engine are a matter of src/web/vectors-in-chromium.spec.ts and of conformance-dist.
    command: ["node", "dist/cli/portico.js", "verify", "--engine", "ort-wasm", "--only", "photo/"],
  },
  {
    name: "verify-dist-int8",
    command: ["node", "dist/cli/portico.js", "verify", "--variant", "int8", "--only", "photo/"],
  },
  { name: "verify-dist-simd", command: ["node", "dist/cli/portico.js", "verify", "--engine", "simd"] },
  {
    name: "conformance-dist",
    // Vectors are the engine's, whichever protocol carries them; the server's own engine is asked over all.
    command: ["node", "tools/conformance-dist.ts", conformanceJson, "ort-wasm", "grpc"],
    report: caseReport(conformanceJson),
  },
  {
    name: "conformance-dist-simd",
    command: ["node", "tools/conformance-dist.ts", simdJson, "simd"],
    report: caseReport(simdJson),
  },
  {
    name: "conformance-dist-processor",
    command: ["node", "tools/conformance-dist.ts", processorJson, "preview", "grpc,connect"],
    report: caseReport(processorJson),
  },
  {
    name: "protocol",
    command: ["node", "tools/protocol/run-protocol-suites.ts", protocolJson],
    report: caseReport(protocolJson),
  },
  {
    name: "soak",
    command: ["node", "tools/load/soak.ts", soakJson],
    report: caseReport(soakJson),
  },
  {
    name: "deploy-compose",
    command: ["node", "tools/deploy/run-compose.ts", composeJson],
    report: caseReport(composeJson),
  },
];

/** Tests that never began, since their process ended, are in the total alone; they count as skipped. */
function countVitest(): Counts {
  const report = JSON.parse(readFileSync(vitestJson, "utf8")) as Record<string, number>;
  const { numPassedTests: passed = 0, numFailedTests: failed = 0, numTotalTests: total = 0 } = report;
  return { passed, failed, skipped: total - passed - failed };
}

function readVitestFailures(): string[] {
  const { testResults } = JSON.parse(readFileSync(vitestJson, "utf8")) as { testResults: VitestFile[] };
  const stray = JSON.parse(readFileSync(strayErrorsJson, "utf8")) as string[];
  return [...strayErrorLines(stray), ...failedTestLines(testResults, process.cwd())];
}

/** Suites of our own write their counts, and a result of each case or of the failed ones. */
function caseReport(path: string): Report {
  const read = () =>
    JSON.parse(readFileSync(path, "utf8")) as Counts & {
      results: (FailedCase & { transport?: string; outcome: string })[];
    };
  return {
    files: [path],
    count() {
      const { passed, failed, skipped } = read();
      return { passed, failed, skipped };
    },
    failures: () =>
      failedCaseLines(
        read()
          .results.filter(({ outcome }) => outcome === "failed")
          .map(({ name, transport, reason }) => ({
            name: [name, transport].filter(Boolean).join(" over "),
            reason,
          })),
      ),
  };
}

function run(command: readonly string[]): Promise<number> {
  return new Promise((resolve) => {
    const [program, ...args] = command as [string, ...string[]];
    const child = spawn(program, args, { stdio: "inherit", shell: process.platform === "win32" });
    child.on("error", () => resolve(127));
    child.on("exit", (code) => resolve(code ?? 1));
  });
}

async function runStep(step: Step): Promise<Counts> {
  const start = performance.now();
  for (const file of step.report?.files ?? []) rmSync(file, { force: true });
  console.log(`\n== ${step.name}: ${step.command.join(" ")}`);
  const code = await run(step.command);
  console.log(`== ${step.name}: exit code ${code}, ${((performance.now() - start) / 1000).toFixed(1)} s`);
  const single = { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0 };
  if (!step.report) return single;
  try {
    const counts = step.report.count();
    // A runner that fails without a failed case, or counts no case at all, has failed itself.
    const silent = (code !== 0 && counts.failed === 0) || counts.passed + counts.skipped === 0;
    return silent ? { ...counts, failed: counts.failed + 1 } : counts;
  } catch {
    // No report was written: the runner never got as far, which its own output explains.
    return { passed: 0, failed: 1, skipped: 0 };
  }
}

function describeFailures(step: Step): string[] {
  const elsewhere = `nothing that a report names; see the output of the step, above: == ${step.name}:`;
  try {
    const lines = step.report?.failures() ?? [];
    return lines.length > 0 ? lines : [elsewhere];
  } catch {
    return [elsewhere];
  }
}

mkdirSync(output, { recursive: true });
const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !steps.some((step) => step.name === name));
if (unknown.length > 0) {
  console.error(`no such step: ${unknown.join(", ")}; steps: ${steps.map(({ name }) => name).join(", ")}`);
  process.exit(2);
}

const total: Counts = { passed: 0, failed: 0, skipped: 0 };
const failedSteps: Step[] = [];
for (const step of steps.filter(({ name }) => wanted.length === 0 || wanted.includes(name))) {
  const counts = await runStep(step);
  total.passed += counts.passed;
  total.failed += counts.failed;
  total.skipped += counts.skipped;
  if (counts.failed > 0) failedSteps.push(step);
}

if (failedSteps.length > 0) console.log(`\nfailed steps: ${failedSteps.map(({ name }) => name).join(", ")}`);
console.log(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
for (const step of failedSteps) {
  console.log(`\n== what failed in ${step.name}`);
  for (const line of limitLines(describeFailures(step), failureLinesMax)) console.log(line);
}
process.exitCode = total.failed > 0 ? 1 : 0;
