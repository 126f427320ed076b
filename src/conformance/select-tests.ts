import { EmbedError } from "../errors.ts";
import { Profile, type TestCase, type TestSuite } from "../gen/portico/conformance/v1/suite_pb.ts";
import {
  OperatorType,
  type Protocol,
  type Target,
  UrlFetch,
} from "../gen/portico/conformance/v1/target_pb.ts";
import { goldenModel } from "./expected-vectors.ts";
import type { FixtureFiles } from "./fixture-files.ts";
import { matchesTest } from "./known-failing.ts";
import { protocolNames, type Transport, transports } from "./transports.ts";

/** A case and one transport over which it runs. */
export interface Test {
  readonly suite: TestSuite;
  readonly testCase: TestCase;
  readonly transport: Transport;
  /** Why it is not run; undefined if it is. */
  readonly skip: string | undefined;
}

export interface Selection {
  readonly profile: "contract" | "portico";
  /** Names of `--protocol`; all that the target speaks if undefined. */
  readonly protocols: readonly string[] | undefined;
  /** A glob of `--filter`. */
  readonly filter: string | undefined;
  /** Whether the server under test can know the fixture host's address, because it was given. */
  readonly hasFixtureHost: boolean;
}

/**
 * The runs of each case, in the order of the suites. What the target cannot do is listed as skipped.
 * @throws EmbedError `CONFIG_INVALID` if nothing would be run
 */
export function selectTests(
  suites: readonly TestSuite[],
  target: Target,
  selection: Selection,
  files: FixtureFiles,
): readonly Test[] {
  const spoken = selectTransports(target, selection.protocols);
  const tests = suites
    .flatMap((suite) => suite.cases.map((testCase) => ({ suite, testCase })))
    .filter(({ testCase }) => selection.profile === "portico" || testCase.profile === Profile.CONTRACT)
    .filter(({ testCase }) => isFor(testCase, target))
    .flatMap(({ suite, testCase }) =>
      spoken
        .filter(({ plain }) => plain || testCase.everyTransport)
        .filter(
          ({ name }) => selection.filter === undefined || matchesTest(selection.filter, testCase.name, name),
        )
        .map((transport) => ({
          suite,
          testCase,
          transport,
          skip: skipReason(testCase, target, selection, spoken.length, files),
        })),
    );
  if (tests.length === 0) {
    throw new EmbedError(
      "CONFIG_INVALID",
      `no case of the profile ${selection.profile} matches ${selection.filter}`,
    );
  }
  return tests;
}

/** A case for one type of operator says nothing of the other: it is not even listed as skipped. */
function isFor({ steps }: TestCase, { type }: Target): boolean {
  const isProcessor = type === OperatorType.PROCESSOR;
  return steps.every(({ expectation }) => {
    const outcome = expectation?.outcome;
    if (outcome?.case === "identity" && outcome.value.type !== "") {
      return (outcome.value.type === "processor") === isProcessor;
    }
    return isProcessor ? outcome?.case !== "vectors" : outcome?.case !== "images";
  });
}

/** @throws EmbedError `CONFIG_INVALID` for a protocol that does not exist or that the target does not speak */
export function selectTransports(target: Target, names: readonly string[] | undefined): readonly Transport[] {
  const wanted = names?.map((name) => spokenProtocol(target, name)) ?? target.protocols;
  const spoken = transports.filter(
    ({ protocol, httpVersion }) => wanted.includes(protocol) && target.httpVersions.includes(httpVersion),
  );
  if (spoken.length === 0) throw new EmbedError("CONFIG_INVALID", `no transport of ${target.name} is left`);
  return spoken;
}

function spokenProtocol(target: Target, name: string): Protocol {
  const protocol = protocolNames[name];
  const known = Object.keys(protocolNames);
  if (protocol === undefined) {
    throw new EmbedError("CONFIG_INVALID", `expected --protocol of ${known.join(", ")}, got "${name}"`);
  }
  if (!target.protocols.includes(protocol)) {
    const spoken = known.filter((candidate) => target.protocols.includes(protocolNames[candidate]!));
    throw new EmbedError(
      "CONFIG_INVALID",
      `the target ${target.name} speaks ${spoken.join(", ")}, not ${name}: see --target`,
    );
  }
  return protocol;
}

function skipReason(
  testCase: TestCase,
  target: Target,
  selection: Selection,
  transportCount: number,
  files: FixtureFiles,
): string | undefined {
  if (testCase.reliesOnModel !== "" && testCase.reliesOnModel !== target.model) {
    const what = target.type === OperatorType.PROCESSOR ? "processor" : "model";
    return `the target's ${what} is ${target.model || "unknown"}, not ${testCase.reliesOnModel}`;
  }
  const format = testCase.reliesOnFormats.find((name) => !target.formats.includes(name));
  if (format !== undefined) return `the target does not decode ${format}`;
  if (testCase.reliesOnFixtureHost) {
    if (target.urlFetch === UrlFetch.UNSPECIFIED) return "the target fetches no URLs";
    if (target.urlFetch === UrlFetch.ALLOWED && !selection.hasFixtureHost) {
      return "needs --fixture-host HOST:PORT, and an operator that may fetch from it";
    }
  }
  if (testCase.reliesOnTwoTransports && transportCount < 2)
    return "there is no second transport to compare with";
  const missing = missingFixture(testCase, files, target.model === goldenModel);
  return missing === undefined ? undefined : `${missing} is not part of this package`;
}

/** The package holds a few fixtures only; a checkout holds all, which suites.spec.ts proves. */
export function missingFixture(
  testCase: TestCase,
  files: FixtureFiles,
  needsGoldens: boolean,
): string | undefined {
  for (const { request, expectation } of testCase.steps) {
    for (const { source } of request?.datas ?? []) {
      if (source.case === "file" && !files.hasImage(source.value)) return `images/${source.value}`;
    }
    for (const { source } of request?.urls ?? []) {
      const image = source.case === "fixturePath" ? servedImage(source.value) : undefined;
      if (image !== undefined && !files.hasImage(image)) return `images/${image}`;
    }
    if (expectation?.outcome.case === "images") {
      const image = expectation.outcome.value.sources.find((path) => !files.hasImage(path));
      if (image !== undefined) return `images/${image}`;
    }
    const goldens = expectation?.outcome.case === "vectors" ? expectation.outcome.value.goldens : [];
    const vector = needsGoldens ? goldens.find((path) => !files.hasVector(path)) : undefined;
    if (vector !== undefined) return `golden/embedding/${vector}.json`;
  }
  return undefined;
}

/** The picture behind a path of the fixture host; undefined for its other paths. */
function servedImage(path: string): string | undefined {
  return /^\/(?:images|redirect\/\d+)\/([^?]+)/.exec(path)?.[1];
}
