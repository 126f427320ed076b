import type { Tolerance } from "../gen/portico/conformance/v1/suite_pb.ts";
import type { Images } from "./check-images.ts";
import { createExpectedVectors } from "./expected-vectors.ts";
import type { FixtureFiles } from "./fixture-files.ts";
import { findKnownFailing, type KnownFailing } from "./known-failing.ts";
import type { OperatorClient } from "./operator-client.ts";
import { askDimension, type CaseVerdict, runCase } from "./run-case.ts";
import type { Test } from "./select-tests.ts";
import type { Transport } from "./transports.ts";

export type Outcome = "passed" | "failed" | "skipped";

export interface TestResult {
  readonly suite: string;
  readonly name: string;
  readonly transport: string;
  readonly outcome: Outcome;
  /** Why it failed or was skipped; empty if it passed. */
  readonly reason: string;
  readonly durationMs: number;
  /** The largest difference of an element from its golden, if vectors were compared. */
  readonly maxAbs?: number;
}

export interface RunOptions {
  /** host:port of the operator. */
  readonly authority: string;
  readonly files: FixtureFiles;
  readonly fixtureUrl: string;
  readonly timeoutMs: number;
  /** The model of the target, as its file names it. */
  readonly model: string;
  readonly tolerance: Tolerance | undefined;
  /** Of a processor; 0 if that depends on the picture. */
  readonly imagesPerPicture: number;
  readonly knownFailing: readonly KnownFailing[];
}

/** Runs one test after the other, and yields each result as soon as it is there. */
export async function* runTests(tests: readonly Test[], options: RunOptions): AsyncGenerator<TestResult> {
  const { authority, timeoutMs } = options;
  const expected = createExpectedVectors(options.files, options.model);
  const clients = new Map<Transport, { client: OperatorClient; dimension: Promise<number | undefined> }>();
  const firstVectors = new Map<string, { name: string; vectors: NonNullable<CaseVerdict["vectors"]> }>();
  const firstImages = new Map<string, { name: string; images: Images }>();
  const madeOf = new Map<string, Images>();

  function clientOf(transport: Transport) {
    const before = clients.get(transport);
    if (before) return before;
    const client = transport.createClient(authority);
    const opened = { client, dimension: askDimension(client, timeoutMs) };
    clients.set(transport, opened);
    return opened;
  }

  try {
    for (const { suite, testCase, transport, skip } of tests) {
      const named = { suite: suite.name, name: testCase.name, transport: transport.name };
      if (skip !== undefined) {
        yield { ...named, outcome: "skipped", reason: skip, durationMs: 0 };
        continue;
      }
      const { client, dimension } = clientOf(transport);
      const otherTransport = firstVectors.get(testCase.name);
      const images = {
        ...{ madeOf, imagesPerPicture: options.imagesPerPicture },
        otherTransport: firstImages.get(testCase.name),
      };
      const context = { ...options, expected, dimension: await dimension, otherTransport, images };
      const startMs = performance.now();
      const verdict = await runCase(client, testCase, context);
      const durationMs = Math.round(performance.now() - startMs);
      if (!otherTransport && verdict.vectors) {
        firstVectors.set(testCase.name, { name: transport.name, vectors: verdict.vectors });
      }
      if (!images.otherTransport && verdict.images) {
        firstImages.set(testCase.name, { name: transport.name, images: verdict.images });
      }
      const known = findKnownFailing(options.knownFailing, testCase.name, transport.name);
      const measured = verdict.maxAbs === undefined ? {} : { maxAbs: verdict.maxAbs };
      yield { ...named, ...judge(verdict.problems, known), durationMs, ...measured };
    }
  } finally {
    await Promise.all([...clients.values()].map(({ client }) => client.close()));
  }
}

/** A known failure is no news; one that passes must be taken off the list, so it fails the run. */
function judge(
  problems: readonly string[],
  known: KnownFailing | undefined,
): { readonly outcome: Outcome; readonly reason: string } {
  const failed = problems.length > 0;
  if (known && failed) return { outcome: "skipped", reason: `known failing: ${known.reason}` };
  if (known)
    return { outcome: "failed", reason: `passes, but "${known.pattern}" is listed as known failing` };
  return failed ? { outcome: "failed", reason: problems.join("; ") } : { outcome: "passed", reason: "" };
}
