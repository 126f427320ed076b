import { spawn } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";

/**
 * `npm test`: every check of the project, one after the other, with one closing line for all of them.
 * `npm test -- NAME...` runs only the steps with these names.
 */

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

interface Step {
  readonly name: string;
  readonly command: readonly string[];
  /** Reads how many cases the step ran; without it the step is one case. */
  readonly count?: () => Counts;
}

const output = "output";
const vitestJson = `${output}/vitest.json`;
const conformanceJson = `${output}/conformance.json`;
const simdJson = `${output}/conformance-simd.json`;
const protocolJson = `${output}/protocol.json`;
const soakJson = `${output}/soak.json`;

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
  {
    name: "unit",
    command: ["vitest", "run", "--reporter=default", "--reporter=json", `--outputFile.json=${vitestJson}`],
    count: countVitest,
  },
  { name: "build", command: ["node", "tools/build.ts"] },
  { name: "verify-dist", command: ["node", "dist/cli/portico.js", "verify"] },
  { name: "verify-dist-simd", command: ["node", "dist/cli/portico.js", "verify", "--engine", "simd"] },
  {
    name: "conformance-dist",
    command: ["node", "tools/conformance-dist.ts", conformanceJson],
    count: () => readCounts(conformanceJson),
  },
  {
    name: "conformance-dist-simd",
    command: ["node", "tools/conformance-dist.ts", simdJson, "simd"],
    count: () => readCounts(simdJson),
  },
  {
    name: "protocol",
    command: ["node", "tools/protocol/run-protocol-suites.ts", protocolJson],
    count: () => readCounts(protocolJson),
  },
  {
    name: "soak",
    command: ["node", "tools/load/soak.ts", soakJson],
    count: () => readCounts(soakJson),
  },
];

function countVitest(): Counts {
  const report = JSON.parse(readFileSync(vitestJson, "utf8")) as Record<string, number>;
  return {
    passed: report.numPassedTests ?? 0,
    failed: report.numFailedTests ?? 0,
    skipped: (report.numPendingTests ?? 0) + (report.numTodoTests ?? 0),
  };
}

function readCounts(path: string): Counts {
  const { passed, failed, skipped } = JSON.parse(readFileSync(path, "utf8")) as Counts;
  return { passed, failed, skipped };
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
  console.log(`\n== ${step.name}: ${step.command.join(" ")}`);
  const code = await run(step.command);
  console.log(`== ${step.name}: exit code ${code}, ${((performance.now() - start) / 1000).toFixed(1)} s`);
  const single = { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0 };
  if (!step.count) return single;
  try {
    const counts = step.count();
    // A runner that fails without a failed case, or counts no case at all, has failed itself.
    const silent = (code !== 0 && counts.failed === 0) || counts.passed + counts.skipped === 0;
    return silent ? { ...counts, failed: counts.failed + 1 } : counts;
  } catch {
    // No report was written: the runner never got as far, which its own output explains.
    return { passed: 0, failed: 1, skipped: 0 };
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
const failedSteps: string[] = [];
for (const step of steps.filter(({ name }) => wanted.length === 0 || wanted.includes(name))) {
  const counts = await runStep(step);
  total.passed += counts.passed;
  total.failed += counts.failed;
  total.skipped += counts.skipped;
  if (counts.failed > 0) failedSteps.push(step.name);
}

if (failedSteps.length > 0) console.log(`\nfailed steps: ${failedSteps.join(", ")}`);
console.log(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exitCode = total.failed > 0 ? 1 : 0;
