import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openFixtureFiles } from "./fixture-files.ts";
import { matchesTest } from "./known-failing.ts";
import { packageFolder } from "./package-folder.ts";
import { missingFixture, selectTransports } from "./select-tests.ts";
import { loadKnownFailing, loadSuites, loadTarget, parseSuite } from "./suite-file.ts";

const folder = join(packageFolder, "conformance");
const files = openFixtureFiles(join(packageFolder, "fixtures"));
const suites = await loadSuites(join(folder, "suites"));
const cases = suites.flatMap((suite) => suite.cases);

test("every fixture that a case names is in this checkout, so that none is skipped for want of it", () => {
  expect(cases.map((testCase) => missingFixture(testCase, files, true)).filter(Boolean)).toEqual([]);
});

test("a case's tolerance is that of its goldens", () => {
  for (const { name, steps } of cases) {
    for (const { expectation } of steps) {
      if (expectation?.outcome.case !== "vectors") continue;
      const { goldens, tolerance } = expectation.outcome.value;
      const stated = goldens.map((path) => {
        const text = readFileSync(join(packageFolder, "fixtures/golden/embedding", `${path}.json`), "utf8");
        return (JSON.parse(text) as { tolerance: number }).tolerance;
      });
      if (goldens.length > 0) expect(tolerance?.maxAbs, name).toBe(Math.max(...stated));
    }
  }
});

test("there are vectors to compare with for every format", () => {
  for (const format of ["jpeg", "png", "webp", "gif", "bmp", "tiff"]) {
    const names = cases.filter(({ reliesOnFormats }) => reliesOnFormats.includes(format));
    expect(names.length, format).toBeGreaterThan(4);
  }
});

test("the template is a legal suite", () => {
  const text = readFileSync(join(folder, "suites", "_example.jsonc"), "utf8");
  const json = text.replaceAll(/^\s*\/\/.*$/gm, "");
  const suite = parseSuite(json, "_example.json");
  expect(suite.cases.map((testCase) => missingFixture(testCase, files, true))).toEqual([
    undefined,
    undefined,
  ]);
});

const targets = ["portico", "reference-operator", "phantoscope", "portico-preview", "phantoscope-processor"];

test.each(targets)("the target %s", async (name) => {
  const target = await loadTarget(join(folder, "targets"), name);
  expect(selectTransports(target, undefined).length).toBeGreaterThan(0);
});

test("each line of a known-failing list matches a case", async () => {
  for (const target of ["portico", "reference-operator", "phantoscope"]) {
    for (const { pattern } of await loadKnownFailing(join(folder, "known-failing"), target)) {
      const transports = selectTransports(await loadTarget(join(folder, "targets"), target), undefined);
      const matched = cases.some(({ name }) =>
        transports.some((transport) => matchesTest(pattern, name, transport.name)),
      );
      expect(matched, pattern).toBe(true);
    }
  }
});
