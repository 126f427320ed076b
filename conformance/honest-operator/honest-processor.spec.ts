import { create } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ExecuteReply, type IdentityReply, VectorSchema } from "../../src/gen/omnisearch/operator_pb.ts";
import type { Parts } from "./honest-operator.ts";
import { refuse } from "./honest-operator.ts";
import { processorParts } from "./honest-processor.ts";
import { serveConnect, serveGrpc } from "./serve-operator.ts";
import { openTestBench, type TestBench } from "./test-bench.ts";

let bench: TestBench;
let honest: Parts;
beforeAll(async () => {
  bench = await openTestBench("portico-preview");
  honest = processorParts(bench.honest);
});
afterAll(() => bench.close());

const suites = ["processor_images", "identity_fields"];

test("every case passes over gRPC, and none expects vectors", async () => {
  const results = await bench.run(await serveGrpc(honest), ({ transport }) => transport.name === "grpc");
  expect(results.filter(({ outcome }) => outcome !== "passed")).toEqual([]);
  expect(new Set(results.map(({ suite }) => suite))).toEqual(
    new Set(["errors_items", "execute_urls", ...suites]),
  );
  expect(results.length).toBeGreaterThan(60);
});

test("those of processors pass over gRPC-Web and Connect on HTTP/1.1", async () => {
  const http1 = ["grpc-web", "connect", "connect-json"];
  const operator = await serveConnect(honest, "http/1.1");
  const results = await bench.run(
    operator,
    ({ suite, transport }) => suites.includes(suite.name) && http1.includes(transport.name),
  );
  expect(results.filter(({ outcome }) => outcome !== "passed")).toEqual([]);
  expect(results.length).toBeGreaterThan(40);
});

test("an encoder is asked for no pictures", async () => {
  const encoders = await openTestBench("portico");
  const results = await encoders.run(
    await serveGrpc(encoders.honest),
    ({ suite, transport }) => suite.name.startsWith("processor") && transport.name === "grpc",
  );
  await encoders.close();
  // Only those cases that go wrong whatever the operator makes.
  expect(results.map(({ name, outcome }) => `${name} ${outcome}`)).toEqual([
    "processor/each-bad-index-is-named passed",
  ]);
});

interface Defect {
  readonly defect: string;
  readonly caughtBy: string;
  readonly reason: string;
  readonly change: (parts: Parts) => Partial<Parts>;
}

const onReply = (parts: Parts, change: (reply: ExecuteReply) => void): Partial<Parts> => ({
  reply(pictures) {
    const made = parts.reply(pictures);
    change(made);
    return made;
  },
});

const onPictures = (parts: Parts, change: (pictures: number[][]) => number[][]): Partial<Parts> => ({
  reply: (pictures) => parts.reply(change(pictures)),
});

const onIdentity = (parts: Parts, change: Partial<Record<keyof IdentityReply, string>>): Partial<Parts> => ({
  identity: () => Object.assign(parts.identity(), change),
});

const defects: readonly Defect[] = [
  {
    defect: "another type",
    caughtBy: "processor/identity",
    reason: 'expected type "processor", got "detector"',
    change: (p) => onIdentity(p, { type: "detector" }),
  },
  {
    defect: "a dimension",
    caughtBy: "processor/identity",
    reason: 'expected dimension "-1", got "2048"',
    change: (p) => onIdentity(p, { dimension: "2048" }),
  },
  {
    defect: "another name",
    caughtBy: "processor/identity-of-preview",
    reason: 'expected name "preview", got "thumbnail"',
    change: (p) => onIdentity(p, { name: "thumbnail" }),
  },
  {
    defect: "nums counts vectors",
    caughtBy: "processor/one-jpeg",
    reason: "expected nums to be the number of pictures, 1, got 0",
    change: (p) =>
      onReply(p, (reply) => {
        reply.nums = 0n;
      }),
  },
  {
    defect: "a vector beside the pictures",
    caughtBy: "processor/one-jpeg",
    reason: "expected no vectors, got 1",
    change: (p) => onReply(p, (reply) => reply.vectors.push(create(VectorSchema, { element: [1] }))),
  },
  {
    defect: "the file instead of its base64",
    caughtBy: "processor/one-png",
    reason: 'picture 0: expected base64 text, got "',
    change: (p) =>
      onReply(p, (reply) => {
        for (const entry of reply.metadata) {
          entry.data = new Uint8Array(Buffer.from(Buffer.from(entry.data).toString(), "base64"));
        }
      }),
  },
  {
    defect: "an empty entry",
    caughtBy: "processor/one-png",
    reason: "picture 0: expected base64 text, got nothing",
    change: (p) =>
      onReply(p, (reply) => {
        for (const entry of reply.metadata) entry.data = new Uint8Array(0);
      }),
  },
  {
    defect: "a url that the next operator would fetch",
    caughtBy: "processor/one-photograph",
    reason: 'picture 0: expected an empty url, got "http://127.0.0.1/1.png"',
    change: (p) =>
      onReply(p, (reply) => {
        for (const entry of reply.metadata) entry.url = "http://127.0.0.1/1.png";
      }),
  },
  {
    defect: "pictures in the wrong order",
    caughtBy: "processor/batch-in-order",
    reason: "picture 0: expected that of jpeg/crop-256x256.jpg, got that of photo/black-canyon.jpg",
    change: (p) => onPictures(p, (pictures) => pictures.toReversed()),
  },
  {
    defect: "each picture once",
    caughtBy: "processor/batch-in-reverse-order",
    reason: "expected 4 pictures, got 3",
    change: (p) =>
      onPictures(p, (pictures) => [...new Map(pictures.map((bytes) => [bytes.join(), bytes])).values()]),
  },
  {
    defect: "a picture of nothing",
    caughtBy: "processor/empty-gives-empty-reply",
    reason: "expected 0 pictures, got 1",
    change: (p) => onPictures(p, (pictures) => (pictures.length > 0 ? pictures : [[1]])),
  },
  {
    defect: "both lists joined",
    caughtBy: "processor/datas-with-empty-urls",
    reason: "expected a reply, got invalid_argument",
    change: () => ({
      choose: ({ datas, urls }) => ({ list: [...datas, ...urls], areUrls: false }),
    }),
  },
  {
    defect: "urls win",
    caughtBy: "processor/datas-win-over-urls",
    reason: "expected a reply, got invalid_argument",
    change: () => ({ choose: ({ urls }) => ({ list: urls, areUrls: true }) }),
  },
  {
    defect: "another picture each time",
    caughtBy: "processor/repeat-is-bit-identical",
    reason: "step 1: the pictures differ from those of the first step",
    change(p) {
      let calls = 0;
      return onPictures(p, (pictures) => pictures.map((bytes) => [...bytes, calls++]));
    },
  },
  {
    defect: "another size",
    caughtBy: "processor/preview-is-what-resnet50-sees",
    reason: "picture 0: expected 224 x 224 pixels, got 225 x 224",
    change: (p) =>
      onPictures(p, (pictures) => pictures.map((bytes) => bytes.with(19, (bytes[19] as number) + 1))),
  },
  {
    defect: "a JPEG",
    caughtBy: "processor/preview-is-what-resnet50-sees",
    reason: "picture 0: expected a PNG",
    change: (p) => onPictures(p, (pictures) => pictures.map((bytes) => bytes.with(1, 0))),
  },
  {
    defect: "the bad ones are left out",
    caughtBy: "processor/each-bad-index-is-named",
    reason: "expected invalid_argument, got a reply with 0 vectors and 2 metadata entries",
    change: (p) => ({ refuse: (_, results) => p.reply(results.flatMap((made) => (made ? [made] : []))) }),
  },
  {
    defect: "only the first bad one is named",
    caughtBy: "processor/each-bad-index-is-named",
    reason: "expected the bad items 1 BASE64_INVALID, 2 IMAGE_CORRUPT, got 1 BASE64_INVALID",
    change: () => ({ refuse: (failures) => refuse(failures.slice(0, 1)) }),
  },
];

describe("each defect is caught by the case that names it", () => {
  test.each(defects)("$defect: $caughtBy", async ({ caughtBy, reason, change }) => {
    const operator = await serveGrpc({ ...honest, ...change(honest) });
    // What single pictures give is known from the cases before.
    const singles = ["processor/one-jpeg", "processor/one-png", "processor/one-photograph"];
    const needed = caughtBy.startsWith("processor/batch") ? [...singles, caughtBy] : [caughtBy];
    const results = await bench.run(
      operator,
      ({ testCase, transport }) => transport.name === "grpc" && needed.includes(testCase.name),
    );
    const caught = results.find(({ name }) => name === caughtBy);
    expect(caught?.outcome).toBe("failed");
    expect(caught?.reason).toContain(reason);
  });

  test("pictures that differ over transports", async () => {
    let calls = 0;
    const changed = onPictures(honest, (pictures) => pictures.map((bytes) => [...bytes, calls++]));
    const operator = await serveConnect({ ...honest, ...changed }, "http/1.1");
    const results = await bench.run(
      operator,
      ({ testCase, transport }) =>
        testCase.name === "processor/same-over-transports" &&
        ["connect", "connect-json"].includes(transport.name),
    );
    expect(results[1]).toMatchObject({
      outcome: "failed",
      reason: "the pictures differ from those over connect",
    });
  });
});

test("a processor that makes any number of pictures of one is held to what it made of each alone", async () => {
  const any = await openTestBench("phantoscope-processor");
  const parts = processorParts(any.honest);
  /** None, one or two pictures of one. */
  const some = (change: (pictures: number[][]) => number[][]): Parts => ({
    ...parts,
    reply: (pictures) =>
      parts.reply(change(pictures.flatMap((bytes) => new Array((bytes.at(-1) as number) % 3).fill(bytes)))),
  });
  const run = async (operator: Parts) =>
    (await any.run(await serveGrpc(operator), ({ testCase }) => testCase.profile === 1))
      .filter(({ outcome }) => outcome === "failed")
      .map(({ name, reason }) => `${name}: ${reason}`);
  const honestFailures = await run(some((pictures) => pictures));
  const lost = await run(some((pictures) => (pictures.length > 2 ? pictures.slice(1) : pictures)));
  await any.close();
  expect(honestFailures).toEqual([]);
  expect(lost).toEqual(
    expect.arrayContaining([
      expect.stringMatching(
        /^processor\/batch-in-(reverse-)?order: expected \d pictures, as many as of each source alone, got \d$/,
      ),
    ]),
  );
});
