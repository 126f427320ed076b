import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { constants } from "node:os";
import { resolve } from "node:path";
import {
  type FailedCase,
  failedCaseLines,
  failedTestLines,
  limitLines,
  strayErrorLines,
  type VitestFile,
} from "./failed-tests.ts";
import { type OutputPart, orderOutput } from "./order-output.ts";
import { strayErrorsJson } from "./vitest-stray-errors.ts";

/**
 * `npm test`: every check of the project, with one closing line for all of them. Some run side by side, since many of them
 * wait; the log reads as if they ran one after the other. `npm test -- NAME...` runs only the steps with these names. What
 * failed is named last, since a log is often read by its end alone.
 */

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

interface Step {
  readonly name: string;
  readonly command: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** A step earlier in its lane that asks the same and more: this one is left out where that one ran. */
  readonly coveredBy?: string;
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
const architecturesJson = `${output}/architectures.json`;
const containerJson = `${output}/container.json`;

const checks: readonly Step[] = [
  { name: "format-and-lint", command: ["biome", "ci", "--error-on-warnings", "."] },
  { name: "buf-lint", command: ["buf", "lint"] },
  { name: "buf-format", command: ["buf", "format", "--diff", "--exit-code"] },
  { name: "types", command: ["tsc", "-p", "tsconfig.json"] },
  { name: "types-core", command: ["tsc", "-p", "tsconfig.core.json"] },
];

const prepares: readonly Step[] = [
  {
    name: "prepare",
    command: ["node", "src/cli/portico.ts", "prepare", "--force"],
  },
  ...["fp16", "int8"].map((variant) => ({
    name: `prepare-${variant}`,
    command: ["node", "src/cli/portico.ts", "prepare", "--variant", variant, "--force"],
  })),
];

const unit: readonly Step[] = [
  {
    name: "unit",
    command: [
      ...["vitest", "run", "--reporter=default", "--reporter=./tools/vitest-stray-errors.ts"],
      ...["--reporter=json", `--outputFile.json=${vitestJson}`],
    ],
    // Hundreds of processes start with the same sources, and spent a third of their time on stripping and compiling them. What is
    // built starts without.
    env: { NODE_COMPILE_CACHE: resolve(output, "compile-cache") },
    report: { files: [vitestJson, strayErrorsJson], count: countVitest, failures: readVitestFailures },
  },
];

/** What is built, and what is asked of it. No unit test reads dist. */
const built: readonly Step[] = [
  { name: "build", command: ["node", "tools/build.ts"] },
  {
    name: "package",
    command: ["node", "tools/package/test-package.ts", packedJson],
    report: caseReport(packedJson),
  },
  { name: "page-sizes", command: ["node", "bench/sizes.ts", "--check"] },
  {
    name: "verify-dist",
    // All vectors on this engine are a matter of src/web/vectors-in-chromium.spec.ts.
    command: ["node", "dist/cli/portico.js", "verify", "--engine", "ort-wasm", "--only", "photo/"],
  },
  {
    name: "verify-dist-int8",
    command: ["node", "dist/cli/portico.js", "verify", "--variant", "int8", "--only", "photo/"],
  },
  { name: "verify-dist-simd", command: ["node", "dist/cli/portico.js", "verify", "--engine", "simd"] },
  {
    name: "conformance-dist",
    // Vectors are the engine's, whichever protocol carries them, and whatever a picture's format is: batches, large and odd
    // requests remain. The server's own engine is asked everything over all protocols.
    command: ["node", "tools/conformance-dist.ts", conformanceJson, "ort-wasm", "grpc", "request/*"],
    report: caseReport(conformanceJson),
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
  {
    name: "architectures",
    command: ["node", "tools/architectures/test-architectures.ts", architecturesJson],
    report: caseReport(architecturesJson),
  },
  {
    name: "container",
    command: ["node", "tools/container/run-container.ts", "--report", containerJson],
    report: caseReport(containerJson),
  },
  {
    name: "conformance-dist-simd",
    command: ["node", "tools/conformance-dist.ts", simdJson, "simd"],
    // The server in the image is asked the same cases, and what is built there is what is built here.
    coveredBy: "container",
    report: caseReport(simdJson),
  },
];

/** One stage after the other; the lanes of a stage run side by side, the steps of a lane one after the other. */
const stages: readonly (readonly (readonly Step[])[])[] = [
  [checks, prepares],
  [unit, built],
];
const steps = stages.flat(2);

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

/** What a step wrote is read for so long after its end, if it has left a process behind that could write more. */
const readOnMs = 2_000;

const running = new Set<ChildProcess>();

/** Writes straight to where the log goes while nothing before it is still running, else by way of `output`. */
function run({ command, env }: Step, output: OutputPart): Promise<number> {
  return new Promise((resolve) => {
    const [program, ...args] = command as [string, ...string[]];
    const [input, to] = output.isLive() ? (["inherit", "inherit"] as const) : (["ignore", "pipe"] as const);
    const child = spawn(program, args, {
      env: { ...process.env, ...env },
      stdio: [input, to, to],
      shell: process.platform === "win32",
    });
    running.add(child);
    const streams = [child.stdout, child.stderr];
    for (const stream of streams) stream?.on("data", output.write);
    let patience: NodeJS.Timeout | undefined;
    const end = (code: number) => {
      clearTimeout(patience);
      running.delete(child);
      for (const stream of streams) stream?.destroy();
      resolve(code);
    };
    child.on("error", () => end(127));
    child.on("close", (code) => end(code ?? 1));
    child.on("exit", (code) => {
      patience = setTimeout(() => end(code ?? 1), readOnMs);
    });
  });
}

/** The steps end with this process, and what they wrote so far is shown. */
function endTogether(outputs: readonly OutputPart[], signal: NodeJS.Signals): void {
  for (const child of running) child.kill(signal);
  for (const output of outputs) output.end();
  process.exit(128 + constants.signals[signal]);
}

async function runStep(step: Step, output: OutputPart): Promise<Counts> {
  const say = (line: string) => output.write(Buffer.from(`${line}\n`));
  const start = performance.now();
  for (const file of step.report?.files ?? []) rmSync(file, { force: true });
  say(`\n== ${step.name}: ${step.command.join(" ")}`);
  const code = await run(step, output);
  say(`== ${step.name}: exit code ${code}, ${((performance.now() - start) / 1000).toFixed(1)} s`);
  output.end();
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

const isWanted = ({ name }: Step) => wanted.length === 0 || wanted.includes(name);
const counted = new Map<Step, Counts>();
const isCovered = ({ coveredBy }: Step) =>
  [...counted].some(([{ name }, counts]) => name === coveredBy && counts.passed > 0 && counts.skipped === 0);
for (const stage of stages) {
  const lanes = stage.map((lane) => lane.filter(isWanted));
  const outputs = orderOutput(lanes.flat().length, (chunk) => void process.stdout.write(chunk));
  const outputOf = new Map(lanes.flat().map((step, index) => [step, outputs[index] as OutputPart]));
  const runLane = async (lane: readonly Step[]) => {
    for (const step of lane) {
      const output = outputOf.get(step) as OutputPart;
      if (isCovered(step)) {
        output.write(Buffer.from(`\n== ${step.name}: left out, ${step.coveredBy} asked the same\n`));
        output.end();
      } else counted.set(step, await runStep(step, output));
    }
  };
  const onSignal = (signal: NodeJS.Signals) => endTogether(outputs, signal);
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, onSignal);
  await Promise.all(lanes.map(runLane));
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.off(signal, onSignal);
}

const sum = (of: keyof Counts) => [...counted.values()].reduce((total, counts) => total + counts[of], 0);
const total: Counts = { passed: sum("passed"), failed: sum("failed"), skipped: sum("skipped") };
const failedSteps = steps.filter((step) => (counted.get(step)?.failed ?? 0) > 0);

if (failedSteps.length > 0) console.log(`\nfailed steps: ${failedSteps.map(({ name }) => name).join(", ")}`);
console.log(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
for (const step of failedSteps) {
  console.log(`\n== what failed in ${step.name}`);
  for (const line of limitLines(describeFailures(step), failureLinesMax)) console.log(line);
}
process.exitCode = total.failed > 0 ? 1 : 0;
