import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import {
  type FailedCase,
  failedCaseLines,
  failedTestLines,
  strayErrorLines,
  type VitestFile,
} from "./failed-tests.ts";
import { strayErrorsJson } from "./vitest-stray-errors.ts";

export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/** One check of `npm test`. */
export interface Step {
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

/** Where steps write what others read. */
export const output = "output";
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
export const stages: readonly (readonly (readonly Step[])[])[] = [
  [checks, prepares],
  [unit, built],
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
