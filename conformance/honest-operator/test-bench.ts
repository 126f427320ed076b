import { join } from "node:path";
import { type FixtureHost, startFixtureHost } from "../../src/conformance/fixture-host.ts";
import type { KnownFailing } from "../../src/conformance/known-failing.ts";
import { packageFolder } from "../../src/conformance/package-folder.ts";
import { runTests, type TestResult } from "../../src/conformance/run-tests.ts";
import { selectTests, type Test } from "../../src/conformance/select-tests.ts";
import { loadSuites, loadTarget } from "../../src/conformance/suite-file.ts";
import { createFetch, files, honestParts, type Parts } from "./honest-operator.ts";
import type { RunningOperator } from "./serve-operator.ts";

/** The runner's parts around one fixture host, for specs. */
export interface TestBench {
  /** The parts of the honest operator, which may fetch from this bench's fixture host. */
  readonly honest: Parts;
  /** Runs the cases that `wanted` picks against an operator, and stops it. */
  run(
    operator: RunningOperator,
    wanted: (test: Test) => boolean,
    knownFailing?: readonly KnownFailing[],
  ): Promise<readonly TestResult[]>;
  close(): Promise<void>;
}

/** @param targetName the target that the operator stands for */
export async function openTestBench(targetName = "portico"): Promise<TestBench> {
  const folder = join(packageFolder, "conformance");
  const target = await loadTarget(join(folder, "targets"), targetName);
  const selection = {
    profile: "portico",
    protocols: undefined,
    filter: undefined,
    hasFixtureHost: true,
  } as const;
  const tests = selectTests(await loadSuites(join(folder, "suites")), target, selection, files);
  const fixtureHost: FixtureHost = await startFixtureHost("127.0.0.1", 0, files);

  return {
    honest: honestParts(createFetch(fixtureHost.authority)),
    async run(operator, wanted, knownFailing = []) {
      const running = runTests(tests.filter(wanted), {
        authority: operator.authority,
        files,
        fixtureUrl: `http://${fixtureHost.authority}`,
        timeoutMs: 20_000,
        model: target.model,
        tolerance: target.tolerance,
        imagesPerPicture: target.imagesPerPicture,
        knownFailing,
      });
      const results: TestResult[] = [];
      try {
        for await (const result of running) results.push(result);
      } finally {
        await operator.close();
      }
      return results;
    },
    close: () => fixtureHost.close(),
  };
}
