import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { type DescMessage, fromJson, type JsonValue, type MessageShape } from "@bufbuild/protobuf";
import { EmbedError, reasonMeanings } from "../errors.ts";
import {
  Code,
  Profile,
  type Step,
  type TestCase,
  type TestSuite,
  TestSuiteSchema,
} from "../gen/portico/conformance/v1/suite_pb.ts";
import { type Target, TargetSchema } from "../gen/portico/conformance/v1/target_pb.ts";
import { type KnownFailing, parseKnownFailing } from "./known-failing.ts";

/**
 * Reads all of suites/*.json, by name. An unknown field, a missing part or a name used twice is an error.
 * @throws EmbedError `CONFIG_INVALID` naming file and case
 */
export async function loadSuites(folder: string): Promise<readonly TestSuite[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(".json")).sort();
  const suites = await Promise.all(
    names.map(async (name) => parseSuite(await readFile(join(folder, name), "utf8"), name)),
  );
  const seen = new Set<string>();
  for (const { name } of suites.flatMap(({ cases }) => cases)) {
    if (seen.has(name)) throw new EmbedError("CONFIG_INVALID", `two cases have the name "${name}"`);
    seen.add(name);
  }
  return suites;
}

/** @throws EmbedError `CONFIG_INVALID` naming file and case */
export function parseSuite(text: string, file: string): TestSuite {
  const suite = parseStrictly(TestSuiteSchema, text, file);
  const problems = suite.cases.flatMap((testCase) =>
    caseProblems(testCase).map((problem) => `${testCase.name || "a case without a name"}: ${problem}`),
  );
  if (`${suite.name}.json` !== file) problems.unshift(`name must be "${file.replace(/\.json$/, "")}"`);
  if (suite.cases.length === 0) problems.push("no cases");
  if (problems.length > 0) throw new EmbedError("CONFIG_INVALID", `${file}: ${problems.join("; ")}`);
  return suite;
}

/** @throws EmbedError `CONFIG_INVALID` if there is no such target or its file is not of the schema */
export async function loadTarget(folder: string, name: string): Promise<Target> {
  const file = `${name}.json`;
  const known = (await readdir(folder)).filter((entry) => entry.endsWith(".json")).sort();
  if (!known.includes(file)) {
    const names = known.map((entry) => entry.replace(/\.json$/, "")).join(", ");
    throw new EmbedError("CONFIG_INVALID", `no target "${name}" (--target); there are: ${names}`);
  }
  const target = parseStrictly(TargetSchema, await readFile(join(folder, file), "utf8"), file);
  if (target.name !== name) throw new EmbedError("CONFIG_INVALID", `${file}: name must be "${name}"`);
  if (target.protocols.length === 0 || target.httpVersions.length === 0) {
    throw new EmbedError("CONFIG_INVALID", `${file}: protocols and httpVersions must not be empty`);
  }
  return target;
}

/** The known failures of a target; none if it has no file. */
export async function loadKnownFailing(folder: string, target: string): Promise<readonly KnownFailing[]> {
  const file = `${target}.txt`;
  if (!(await readdir(folder)).includes(file)) return [];
  return parseKnownFailing(await readFile(join(folder, file), "utf8"), file);
}

function parseStrictly<D extends DescMessage>(schema: D, text: string, file: string): MessageShape<D> {
  try {
    return fromJson(schema, JSON.parse(text) as JsonValue);
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new EmbedError("CONFIG_INVALID", `${file}: ${message}`, { cause });
  }
}

/** What the schema cannot say. */
function caseProblems(testCase: TestCase): readonly string[] {
  const problems: string[] = [];
  if (!/^[a-z0-9]+\/[a-z0-9]+(-[a-z0-9]+)*$/.test(testCase.name))
    problems.push('name must be "area/kebab-case"');
  if (testCase.profile === Profile.UNSPECIFIED) problems.push("profile is missing");
  if (testCase.steps.length === 0) problems.push("steps are missing");
  return [...problems, ...testCase.steps.flatMap((step, index) => stepProblems(step, index))];
}

function stepProblems({ request, expectation }: Step, index: number): readonly string[] {
  const problems: string[] = [];
  if (!request?.method) problems.push("request.method is missing");
  for (const item of [...(request?.datas ?? []), ...(request?.urls ?? [])]) {
    if (item.source.case === undefined) problems.push("an item has no source");
  }
  const outcome = expectation?.outcome;
  if (outcome?.case === undefined) problems.push("expectation is missing");
  if (outcome?.case === "vectors") {
    const { goldens, count, tolerance, sameAsFirstStep } = outcome.value;
    if (goldens.length > 0 && goldens.length !== count) {
      problems.push(`expected ${count} goldens, one for each vector, got ${goldens.length}`);
    }
    if (goldens.length > 0 && !tolerance) problems.push("goldens without a tolerance");
    if (sameAsFirstStep && index === 0) problems.push("the first step cannot be compared with itself");
  }
  if (outcome?.case === "images" && outcome.value.sameAsFirstStep && index === 0) {
    problems.push("the first step cannot be compared with itself");
  }
  if (outcome?.case === "error") {
    if (outcome.value.code === Code.UNSPECIFIED) problems.push("error.code is missing");
    for (const { reason } of outcome.value.items) {
      if (!(reason in reasonMeanings)) problems.push(`"${reason}" is no reason`);
    }
  }
  return problems.map((problem) => `step ${index}: ${problem}`);
}
