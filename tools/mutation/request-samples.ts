import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { create, toBinary } from "@bufbuild/protobuf";
import { type Client, createClient, type Transport } from "@connectrpc/connect";
import {
  compressionBrotli,
  compressionGzip,
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { credentials, Client as GrpcClient } from "@grpc/grpc-js";
import { Health } from "../../src/gen/grpc/health/v1/health_pb.ts";
import { ServerReflection } from "../../src/gen/grpc/reflection/v1/reflection_pb.ts";
import { ExecuteRequestSchema, Operator } from "../../src/gen/omnisearch/operator_pb.ts";
import { EmbeddingService } from "../../src/gen/portico/v1/embedding_pb.ts";
import type { RequestSample } from "./request-mutations.ts";
import { withoutAnswers } from "./request-pieces.ts";
import { type RequestRecorder, startRequestRecorder } from "./request-recorder.ts";

/** The smallest of each kind, so that the requests differ more than the pictures. */
const pictureNames = ["png/rgb-1x1.png", "gif/1x1.gif", "jpeg/baseline-420-1x1.jpg", "webp/lossy-1x1.webp"];

export function readSamplePictures(): Promise<Buffer[]> {
  const folder = new URL("../../fixtures/images/", import.meta.url);
  return Promise.all(pictureNames.map((name) => readFile(new URL(name, folder))));
}

/** No port in it, so that the bytes are the same in every run. */
const baseUrl = "http://portico.test";

/**
 * Whole requests as real clients send them, recorded between them and a running server: the three protocols,
 * both HTTP versions, protobuf and JSON, compressed and not, unary, GET and streams; and a browser's.
 */
export async function recordRequestSamples(serverPort: number): Promise<readonly RequestSample[]> {
  const recorder = await startRequestRecorder(serverPort);
  const pictures = await readSamplePictures();
  const samples: RequestSample[] = [];
  try {
    const record = async (name: string, call: () => Promise<unknown>) => {
      await call();
      // A client may still have to close the call's stream.
      await sleep(5);
      samples.push({ name, bytes: withoutAnswers(recorder.take()) });
    };
    for (const [way, transport] of transports(recorder)) {
      for (const [rpc, call] of calls) await record(`${way} ${rpc}`, () => call(transport(), pictures));
    }
    for (const [way, transport] of streamTransports(recorder)) {
      for (const [rpc, call] of streams) await record(`${way} ${rpc}`, () => call(transport(), pictures));
    }
    await record("grpc-js Execute", () => callByGrpcJs(recorder.port, pictures));
    for (const path of ["/", "/livez", "/readyz", "/metrics", "/favicon.ico"]) {
      await record(`browser ${path}`, () => getPage(recorder.port, path));
    }
  } finally {
    recorder.close();
  }
  return samples;
}

/** A new one for each call: the recorder has ended the connections of the last. */
type NamedTransport = [string, () => Transport];

function transports({ port }: RequestRecorder): NamedTransport[] {
  const nodeOptions = { createConnection: () => connect(port, "127.0.0.1") };
  const all: NamedTransport[] = [];
  for (const httpVersion of ["1.1", "2"] as const) {
    for (const [pack, compression] of [
      ["", {}],
      [" gzip", { sendCompression: compressionGzip, compressMinBytes: 0 }],
    ] as const) {
      for (const useBinaryFormat of [true, false]) {
        const options = { baseUrl, httpVersion, nodeOptions, useBinaryFormat, ...compression };
        const way = `http/${httpVersion} ${useBinaryFormat ? "proto" : "json"}${pack}`;
        all.push([`${way} connect`, () => createConnectTransport({ ...options, useHttpGet: pack === "" })]);
        all.push([`${way} grpc-web`, () => createGrpcWebTransport(options)]);
        if (httpVersion === "2") all.push([`${way} grpc`, () => createGrpcTransport(options)]);
      }
    }
  }
  const brotli = { sendCompression: compressionBrotli, compressMinBytes: 0 };
  const options = { baseUrl, httpVersion: "1.1", nodeOptions, ...brotli } as const;
  all.push(["http/1.1 br connect", () => createConnectTransport(options)]);
  return all;
}

function streamTransports({ port }: RequestRecorder): NamedTransport[] {
  const nodeOptions = { createConnection: () => connect(port, "127.0.0.1") };
  const options = { baseUrl, nodeOptions, httpVersion: "2" } as const;
  return [
    ["http/2 grpc", () => createGrpcTransport(options)],
    ["http/2 connect", () => createConnectTransport(options)],
    ["http/2 json connect", () => createConnectTransport({ ...options, useBinaryFormat: false })],
    ["http/2 grpc-web", () => createGrpcWebTransport(options)],
  ];
}

type NamedCall = [string, (transport: Transport, pictures: readonly Buffer[]) => Promise<unknown>];

const imageOf = (value: Uint8Array) => ({ source: { case: "data" as const, value: Uint8Array.from(value) } });
const base64Of = (pictures: readonly Buffer[]) => pictures.map((picture) => picture.toString("base64"));

const calls: readonly NamedCall[] = [
  [
    "Execute",
    (transport, pictures) => createClient(Operator, transport).execute({ datas: base64Of(pictures) }),
  ],
  ["Identity", (transport) => createClient(Operator, transport).identity({})],
  [
    "Embed",
    (transport, pictures) =>
      createClient(EmbeddingService, transport).embed({ images: pictures.map(imageOf) }),
  ],
  ["GetModel", (transport) => createClient(EmbeddingService, transport).getModel({ name: "resnet50" })],
  ["Health", (transport) => createClient(Health, transport).check({ service: "omnisearch.Operator" })],
];

const streams: readonly NamedCall[] = [
  ["EmbedStream", (transport, pictures) => embedAll(createClient(EmbeddingService, transport), pictures)],
  ["Reflection", (transport) => askAll(createClient(ServerReflection, transport))],
];

async function embedAll(client: Client<typeof EmbeddingService>, pictures: readonly Buffer[]): Promise<void> {
  async function* requests() {
    for (const [index, picture] of pictures.entries()) yield { id: String(index), image: imageOf(picture) };
  }
  let replies = 0;
  for await (const { result } of client.embedStream(requests())) replies += result ? 1 : 0;
  if (replies !== pictures.length) throw new Error(`expected ${pictures.length} replies, got ${replies}`);
}

async function askAll(client: Client<typeof ServerReflection>): Promise<void> {
  async function* questions() {
    yield { messageRequest: { case: "listServices" as const, value: "" } };
    yield { messageRequest: { case: "fileContainingSymbol" as const, value: "omnisearch.Operator" } };
  }
  let answers = 0;
  for await (const { messageResponse } of client.serverReflectionInfo(questions())) {
    answers += messageResponse.case === "errorResponse" ? 0 : 1;
  }
  if (answers !== 2) throw new Error(`expected two answers of reflection, got ${answers}`);
}

/** A client that shares no code with the server. */
async function callByGrpcJs(port: number, pictures: readonly Buffer[]): Promise<void> {
  const client = new GrpcClient(`127.0.0.1:${port}`, credentials.createInsecure(), {
    "grpc.default_authority": "portico.test",
  });
  const request = create(ExecuteRequestSchema, { datas: base64Of(pictures) });
  try {
    await new Promise<void>((resolve, reject) => {
      client.makeUnaryRequest(
        "/omnisearch.Operator/Execute",
        (message: typeof request) => Buffer.from(toBinary(ExecuteRequestSchema, message)),
        (bytes) => bytes,
        request,
        (error) => (error ? reject(error) : resolve()),
      );
    });
  } finally {
    client.close();
  }
}

async function getPage(port: number, path: string): Promise<void> {
  const socket = connect(port, "127.0.0.1");
  socket.end(`GET ${path} HTTP/1.1\r\nHost: portico.test\r\nAccept: */*\r\nConnection: close\r\n\r\n`);
  await once(socket.resume(), "close");
}
