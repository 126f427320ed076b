import { createClient, type Transport } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type PorticoProcess, startPortico } from "../../../tools/start-portico.ts";
import { compareVectors } from "../../embed/compare-vectors.ts";
import type { SelfCheck } from "../../embed/self-check.ts";
import { EmbeddingService, VectorEncoding } from "../../gen/portico/v1/embedding_pb.ts";
import { findModelManifest } from "../model/model-catalog.ts";
import { readVectorGolden } from "../model/vector-golden.ts";

let server: PorticoProcess;
let photos: readonly SelfCheck[];
let fingerprint: string;

beforeAll(async () => {
  server = await startPortico();
  photos = await Promise.all(
    ["photo/locomotion-house-cat.jpg", "webp/lossy.webp", "gif/89a.gif"].map(readVectorGolden),
  );
  ({ fingerprint } = await findModelManifest("resnet50"));
});
afterAll(() => server?.stop());

const baseUrl = () => `http://${server.address}`;

const transports: readonly [string, () => Transport][] = [
  ["gRPC", () => createGrpcTransport({ baseUrl: baseUrl() })],
  ["gRPC-Web over HTTP/1.1", () => createGrpcWebTransport({ baseUrl: baseUrl(), httpVersion: "1.1" })],
  ["Connect over HTTP/1.1", () => createConnectTransport({ baseUrl: baseUrl(), httpVersion: "1.1" })],
  ["Connect over HTTP/2", () => createConnectTransport({ baseUrl: baseUrl(), httpVersion: "2" })],
  [
    "Connect with JSON",
    () => createConnectTransport({ baseUrl: baseUrl(), httpVersion: "1.1", useBinaryFormat: false }),
  ],
];

const image = ({ bytes }: SelfCheck) => ({ source: { case: "data" as const, value: bytes } });

function expectGolden(vector: ArrayLike<number>, { vector: expected, tolerance }: SelfCheck): void {
  expect(compareVectors(Float32Array.from(vector), expected).maxAbsError).toBeLessThanOrEqual(tolerance);
}

test.each(transports)("Embed gives Keras's vectors over %s", async (_name, transport) => {
  const client = createClient(EmbeddingService, transport());
  let headers = new Headers();
  const reply = await client.embed({ images: photos.map(image) }, { onHeader: (value) => (headers = value) });
  expect(headers.get("portico-vector-space")).toBe(fingerprint);
  expect(reply.vectorSpace).toBe(fingerprint);
  expect(reply.results).toHaveLength(photos.length);
  for (const [index, { outcome }] of reply.results.entries()) {
    if (outcome.case !== "embedding") throw new Error(`no embedding: ${outcome.value?.message}`);
    expectGolden(outcome.value.vector, photos[index] as SelfCheck);
  }
});

test("EmbedStream gives each picture's vector under its id", async () => {
  const client = createClient(EmbeddingService, createGrpcTransport({ baseUrl: baseUrl() }));
  async function* requests() {
    for (const photo of photos) {
      yield { id: photo.name, image: image(photo), vectorEncoding: VectorEncoding.BYTES };
    }
    yield {
      id: "bad",
      image: { source: { case: "data" as const, value: new TextEncoder().encode("text") } },
    };
  }
  const seen: string[] = [];
  for await (const { id, result } of client.embedStream(requests())) {
    seen.push(id);
    const outcome = result?.outcome;
    if (outcome?.case === "embedding") {
      const bytes = Buffer.from(outcome.value.vectorBytes);
      const vector = Float32Array.from({ length: 2048 }, (_, place) => bytes.readFloatLE(place * 4));
      expectGolden(vector, photos.find(({ name }) => name === id) as SelfCheck);
    } else expect({ id, reason: outcome?.value?.reason }).toEqual({ id: "bad", reason: "IMAGE_UNSUPPORTED" });
  }
  expect(seen.sort()).toEqual([...photos.map(({ name }) => name), "bad"].sort());
});

test.each([
  { errorPolicy: "ERROR_POLICY_FAIL_CALL", status: 400 },
  { errorPolicy: "ERROR_POLICY_FAIL_CAL", status: 200 },
  { errorPolcy: "ERROR_POLICY_FAIL_CALL", status: 200 },
])("in JSON, a name that is not known stands for the default: %j", async ({ status, ...policy }) => {
  const response = await fetch(`${baseUrl()}/portico.v1.EmbeddingService/Embed`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ images: [{ data: "dGV4dA==" }], ...policy }),
  });
  expect(response.status).toBe(status);
});

test.each([
  { rpc: "ListModels", message: {}, pick: (json: { models: unknown[] }) => json.models[0] },
  { rpc: "GetModel", message: { name: "resnet50" }, pick: (json: { model: unknown }) => json.model },
])("$rpc answers a plain GET", async ({ rpc, message, pick }) => {
  const query = new URLSearchParams({ connect: "v1", encoding: "json", message: JSON.stringify(message) });
  const response = await fetch(`${baseUrl()}/portico.v1.EmbeddingService/${rpc}?${query}`);
  expect(response.status).toBe(200);
  expect(response.headers.get("portico-vector-space")).toBe(fingerprint);
  expect(pick((await response.json()) as never)).toMatchObject({
    name: "resnet50",
    dimension: 2048,
    metricType: "L2",
    vectorSpace: fingerprint,
    engine: "simd",
    input: { width: 224, height: 224, interpolation: "nearest", mode: "caffe" },
    limits: { maxItems: 1000, maxPixels: "50000000" },
    ready: true,
  });
});
