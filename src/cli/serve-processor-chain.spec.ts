import { create } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { describePixelDifference, readGolden, readImage } from "../../fixtures/read-golden.ts";
import { type PorticoProcess, startPortico } from "../../tools/start-portico.ts";
import { createGrpcClient } from "../conformance/grpc-client.ts";
import type { OperatorClient } from "../conformance/operator-client.ts";
import {
  type ExecuteReply,
  ExecuteReplySchema,
  ExecuteRequestSchema,
  IdentityReplySchema,
  IdentityRequestSchema,
} from "../gen/omnisearch/operator_pb.ts";
import { decodePng } from "../image/decode-png.ts";

/** The chain that Phantoscope builds: a processor's metadata is the encoder's request. Both are real servers. */

const service = "omnisearch.Operator";
const timeoutMs = 60_000;
let servers: readonly PorticoProcess[];
let processor: OperatorClient;
let encoder: OperatorClient;

beforeAll(async () => {
  servers = await Promise.all([
    startPortico({ args: ["--processor", "preview", "--workers", "1"] }),
    startPortico({ args: ["--engine", "simd", "--workers", "1"] }),
  ]);
  [processor, encoder] = servers.map(({ address }) => createGrpcClient(address)) as [
    OperatorClient,
    OperatorClient,
  ];
});
afterAll(async () => {
  await Promise.all([processor, encoder].map((client) => client?.close()));
  await Promise.all((servers ?? []).map((server) => server.stop()));
});

async function execute(
  client: OperatorClient,
  request: { readonly urls?: string[]; readonly datas?: string[] },
): Promise<ExecuteReply> {
  const outcome = await client.call({
    ...{ service, method: "Execute", timeoutMs, input: ExecuteRequestSchema, output: ExecuteReplySchema },
    request: create(ExecuteRequestSchema, request),
  });
  if (outcome.kind !== "reply") throw new Error(outcome.message);
  return outcome.reply;
}

const dataOf = (path: string) => Buffer.from(readImage(path)).toString("base64");

/** What makes a picture special on its way: grey, alpha, orientation, a size around the model's. */
const pictures = [
  "photo/nagasaki-boats.jpg",
  "jpeg/exif-orientation-6.jpg",
  "jpeg/grey.jpg",
  "png/rgba-8bit.png",
  "png/grey-alpha-8bit.png",
  "png/rgb-223x225.png",
  "tiff/orientation-6.tif",
];

describe("a preview handed on to the encoder", () => {
  let previews: ExecuteReply;
  beforeAll(async () => {
    previews = await execute(processor, { datas: pictures.map(dataOf) });
  });

  test("is one metadata entry for each picture, with an empty url, and no vector", () => {
    expect(previews.nums).toBe(BigInt(pictures.length));
    expect(previews.vectors).toEqual([]);
    expect(previews.metadata.map(({ url }) => url)).toEqual(pictures.map(() => ""));
  });

  test("gives the vectors of the pictures themselves, bit for bit", async () => {
    const direct = await execute(encoder, { datas: pictures.map(dataOf) });
    // As Phantoscope's pipeline does it after a processor.
    const handedOn = await execute(encoder, {
      urls: previews.metadata.map(({ url }) => url),
      datas: previews.metadata.map(({ data }) => Buffer.from(data).toString("utf8")),
    });
    expect(handedOn.vectors.length).toBe(pictures.length);
    for (const [index, path] of pictures.entries()) {
      const [want, got] = [direct, handedOn].map((reply) => Float32Array.from(reply.vectors[index]!.element));
      expect(want!.length, path).toBe(2048);
      expect(Buffer.from(got!.buffer).equals(Buffer.from(want!.buffer)), path).toBe(true);
    }
  });

  test("again is the same preview", async () => {
    const again = await execute(processor, {
      datas: previews.metadata.map(({ data }) => Buffer.from(data).toString("utf8")),
    });
    expect(again.metadata).toEqual(previews.metadata);
  });

  test.each(pictures.filter((path) => readGolden("resized", path)))("%s has the pixels of Pillow", (path) => {
    const data = Buffer.from(previews.metadata[pictures.indexOf(path)]!.data).toString("utf8");
    const pixels = decodePng(new Uint8Array(Buffer.from(data, "base64")));
    const golden = readGolden("resized", path)!.results.find(
      ({ width, height, interpolation }) => width === 224 && height === 224 && interpolation === "nearest",
    );
    expect(describePixelDifference(pixels, golden!)).toBeUndefined();
  });
});

test("Identity says what Phantoscope looks for in a processor", async () => {
  const outcome = await processor.call({
    ...{ service, method: "Identity", timeoutMs, input: IdentityRequestSchema, output: IdentityReplySchema },
    request: create(IdentityRequestSchema),
  });
  expect(outcome).toMatchObject({
    kind: "reply",
    reply: {
      ...{ name: "preview", endpoint: servers[0]!.address, type: "processor" },
      ...{ input: "image", output: "images", dimension: "-1", metricType: "-1" },
    },
  });
});
