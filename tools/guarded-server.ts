import { once } from "node:events";
import { type ClientHttp2Session, connect as connectHttp2, type IncomingHttpHeaders } from "node:http2";
import { Code, ConnectError } from "@connectrpc/connect";
import { afterEach, beforeEach, expect } from "vitest";
import { Operator } from "../src/gen/omnisearch/operator_pb.ts";
import { startTestServer, type TestServer } from "./start-test-server.ts";

export const messageMaxBytes = 1_000;

/** Filled before each test of a file that calls `useGuardedServer`. */
export const guarded = {} as { running: TestServer; session: ClientHttp2Session };

/** To be called beside the tests of a file: each has a server of its own, and one HTTP/2 session with it. */
export function useGuardedServer(): void {
  beforeEach(async () => {
    guarded.running = await startTestServer(
      (router) =>
        router.service(Operator, {
          healthy: () => ({ healthy: "healthy" }),
          identity() {
            throw new TypeError("an inner secret");
          },
          execute({ datas }) {
            if (datas[0] === "internal")
              throw new ConnectError("told", Code.Internal, undefined, undefined, new Error("why"));
            return { nums: BigInt(datas.length) };
          },
        }),
      {
        messageMaxBytes,
        discardMaxBytes: 100_000,
        discardTimeoutMs: 200,
        requestTimeoutMs: 300,
        headersTimeoutMs: 300,
      },
    );
    // Node's client counts what it could not send against its own limit, 10 MB by default, and then stops.
    guarded.session = connectHttp2(guarded.running.url, { maxSessionMemory: 1_000 });
  });
  afterEach(async () => {
    guarded.session.destroy();
    await guarded.running.server.close({ graceMs: 0 });
  });
}

export interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly trailers: IncomingHttpHeaders;
  readonly body: string;
}

/** One request on the test's HTTP/2 session. */
export async function send(
  path: string,
  contentType: string,
  body: string | Uint8Array,
  more = {},
): Promise<Answer> {
  const stream = guarded.session.request({
    ":method": "POST",
    ":path": path,
    "content-type": contentType,
    ...more,
  });
  let headers: IncomingHttpHeaders & { ":status"?: number | undefined } = {};
  let trailers: IncomingHttpHeaders = {};
  let text = "";
  stream.on("response", (got) => {
    headers = got;
  });
  stream.on("trailers", (got) => {
    trailers = got;
  });
  stream.on("data", (chunk: Buffer) => {
    text += chunk.toString("latin1");
  });
  stream.end(body);
  await once(stream, "close");
  return { status: headers[":status"], headers, trailers, body: text };
}

export const operator = "/omnisearch.Operator";
export const json = "application/json";
/** A message of gRPC. */
export const envelope = (bytes: Uint8Array, flags = 0) => {
  const head = Buffer.from([flags, 0, 0, 0, 0]);
  head.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([head, bytes]);
};

/** It answers as ever, over both versions. */
export async function expectAlive(): Promise<void> {
  expect(await send(`${operator}/Healthy`, json, "{}")).toMatchObject({
    status: 200,
    body: '{"healthy":"healthy"}',
  });
  const response = await fetch(`${guarded.running.url}${operator}/Healthy`, {
    method: "POST",
    headers: { "content-type": json },
    body: "{}",
  });
  expect(await response.text()).toBe('{"healthy":"healthy"}');
}
