import { create, type DescMessage } from "@bufbuild/protobuf";
import {
  ExecuteReplySchema,
  ExecuteRequestSchema,
  HealthyReplySchema,
  HealthyRequestSchema,
  IdentityReplySchema,
  IdentityRequestSchema,
  Operator,
} from "../gen/omnisearch/operator_pb.ts";
import type { Request, Step, TestCase, Tolerance } from "../gen/portico/conformance/v1/suite_pb.ts";
import { buildRequest } from "./build-request.ts";
import { checkError } from "./check-error.ts";
import { checkIdentity } from "./check-identity.ts";
import { checkImages, type Images, type ImagesContext, imagesOf } from "./check-images.ts";
import { checkVectors, type VectorContext } from "./check-vectors.ts";
import type { ExpectedVectors } from "./expected-vectors.ts";
import type { FixtureFiles } from "./fixture-files.ts";
import type { OperatorClient } from "./operator-client.ts";
import { codeToString } from "./rpc-code.ts";

export interface CaseContext {
  readonly files: FixtureFiles;
  /** Where the fixture host listens, `http://host:port`. */
  readonly fixtureUrl: string;
  readonly timeoutMs: number;
  readonly expected: ExpectedVectors;
  readonly dimension: number | undefined;
  readonly tolerance: Tolerance | undefined;
  readonly otherTransport: VectorContext["otherTransport"];
  /** Of a processor. */
  readonly images: Omit<ImagesContext, "firstStep">;
}

export interface CaseVerdict {
  /** Empty if the case has passed. */
  readonly problems: readonly string[];
  /** The largest difference from a golden; undefined if none was compared. */
  readonly maxAbs?: number;
  /** The vectors of the first step, if it gave any. */
  readonly vectors?: readonly (readonly number[])[];
  /** The pictures of the first step, if it gave any. */
  readonly images?: Images;
}

/** What the first step gave. */
type FirstStep = Pick<CaseVerdict, "vectors" | "images">;

/** Makes the calls of one case over one transport, one after the other, until one disappoints. */
export async function runCase(
  client: OperatorClient,
  testCase: TestCase,
  context: CaseContext,
): Promise<CaseVerdict> {
  const timeoutMs = testCase.timeoutMs || context.timeoutMs;
  let firstStep: FirstStep = {};
  let maxAbs: number | undefined;
  for (const [index, step] of testCase.steps.entries()) {
    const verdict = await runStep(client, step, { ...context, timeoutMs }, firstStep);
    if (index === 0) {
      const { vectors, images } = verdict;
      firstStep = { ...(vectors && { vectors }), ...(images && { images }) };
    }
    if (verdict.maxAbs !== undefined) maxAbs = Math.max(maxAbs ?? 0, verdict.maxAbs);
    if (verdict.problems.length > 0) {
      const where = testCase.steps.length > 1 ? `step ${index}: ` : "";
      return { ...verdict, problems: verdict.problems.map((problem) => where + problem) };
    }
  }
  return { problems: [], ...(maxAbs !== undefined && { maxAbs }), ...firstStep };
}

/** The dimension that Identity gives, or undefined. */
export async function askDimension(client: OperatorClient, timeoutMs: number): Promise<number | undefined> {
  const outcome = await callIdentity(client, timeoutMs);
  if (outcome.kind !== "reply" || !/^\d+$/.test(outcome.reply.dimension)) return undefined;
  return Number(outcome.reply.dimension);
}

const service = Operator.typeName;

/** A method whose request has no fields. */
function callEmpty<Output extends DescMessage>(
  client: OperatorClient,
  method: "Identity" | "Healthy",
  input: DescMessage,
  output: Output,
  timeoutMs: number,
) {
  return client.call({ service, method, input, output, request: create(input), timeoutMs });
}

function callIdentity(client: OperatorClient, timeoutMs: number) {
  return callEmpty(client, "Identity", IdentityRequestSchema, IdentityReplySchema, timeoutMs);
}

function callHealthy(client: OperatorClient, timeoutMs: number) {
  return callEmpty(client, "Healthy", HealthyRequestSchema, HealthyReplySchema, timeoutMs);
}

/** Any other method is called with Execute's messages: where it does not exist nobody reads them. */
function callExecute(
  client: OperatorClient,
  request: Request,
  { files, fixtureUrl, timeoutMs }: CaseContext,
) {
  return client.call({
    service,
    method: request.method,
    input: ExecuteRequestSchema,
    output: ExecuteReplySchema,
    request: buildRequest(request, files, fixtureUrl),
    timeoutMs,
  });
}

async function runStep(
  client: OperatorClient,
  { request, expectation }: Step,
  context: CaseContext,
  firstStep: FirstStep,
): Promise<CaseVerdict> {
  const expected = expectation!.outcome;
  const { method } = request!;
  const outcome =
    method === "Identity"
      ? await callIdentity(client, context.timeoutMs)
      : method === "Healthy"
        ? await callHealthy(client, context.timeoutMs)
        : await callExecute(client, request!, context);
  if (outcome.kind === "broken") return { problems: [outcome.message] };
  if (expected.case === "error") {
    if (outcome.kind === "error") return { problems: checkError(outcome, expected.value) };
    return {
      problems: [`expected ${codeToString(expected.value.code)}, got ${describeReply(outcome.reply)}`],
    };
  }
  if (outcome.kind === "error") {
    return {
      problems: [`expected a reply, got ${codeToString(outcome.code)} ("${outcome.message.slice(0, 300)}")`],
    };
  }
  const { reply } = outcome;
  if (reply.$typeName === "omnisearch.IdentityReply" && expected.case === "identity") {
    return { problems: checkIdentity(reply, expected.value) };
  }
  if (reply.$typeName === "omnisearch.HealthyReply" && expected.case === "healthy") {
    const wanted = expected.value.healthy;
    return { problems: reply.healthy === wanted ? [] : [`expected "${wanted}", got "${reply.healthy}"`] };
  }
  if (reply.$typeName === "omnisearch.ExecuteReply" && expected.case === "vectors") {
    const vectors = reply.vectors.map(({ element }) => element);
    return { ...checkVectors(reply, expected.value, { ...context, firstStep: firstStep.vectors }), vectors };
  }
  if (reply.$typeName === "omnisearch.ExecuteReply" && expected.case === "images") {
    const judged = { ...context.images, firstStep: firstStep.images };
    return { problems: checkImages(reply, expected.value, judged), images: imagesOf(reply) };
  }
  return { problems: [`the case expects ${expected.case} of ${method}`] };
}

function describeReply(reply: {
  readonly $typeName: string;
  readonly vectors?: readonly unknown[];
  readonly metadata?: readonly unknown[];
}): string {
  if (!reply.vectors) return `a ${reply.$typeName}`;
  const images = reply.metadata?.length ? ` and ${reply.metadata.length} metadata entries` : "";
  return `a reply with ${reply.vectors.length} vectors${images}`;
}
