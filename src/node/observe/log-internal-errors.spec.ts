import { once } from "node:events";
import { connect, constants } from "node:http2";
import { Code, ConnectError, type StreamResponse, type UnaryRequest } from "@connectrpc/connect";
import { beforeEach, describe, expect, test } from "vitest";
import { startTestServer } from "../../../tools/start-test-server.ts";
import { Health } from "../../gen/grpc/health/v1/health_pb.ts";
import { ServerReflection } from "../../gen/grpc/reflection/v1/reflection_pb.ts";
import { logInternalErrors } from "./log-internal-errors.ts";

const { signal } = new AbortController();
let logged: string[];
beforeEach(() => {
  logged = [];
});

/** The stream that a Watch answers, as the adapter reads it through the interceptor. */
async function streamOf(messages: AsyncIterable<number>): Promise<AsyncIterator<unknown>> {
  const intercept = logInternalErrors((_level, _message, { error }) => void logged.push(String(error)));
  const request = { service: Health, method: Health.method.watch, signal } as unknown as UnaryRequest;
  const response = await intercept(
    async () => ({ stream: true, message: messages }) as unknown as StreamResponse,
  )(request);
  return (response.message as AsyncIterable<unknown>)[Symbol.asyncIterator]();
}

describe("a stream of answers", () => {
  test("that breaks inside is logged", async () => {
    async function* broken() {
      yield 1;
      throw new Error("inner secret");
    }
    const reader = await streamOf(broken());
    await expect(reader.next()).resolves.toEqual({ done: false, value: 1 });
    await expect(reader.next()).rejects.toThrow("inner secret");
    expect(logged).toEqual(["Error: inner secret"]);
  });

  test("whose client has gone is not", async () => {
    let closed = 0;
    async function* endless() {
      try {
        for (;;) yield 1;
      } finally {
        closed += 1;
      }
    }
    const thrown = await streamOf(endless());
    await thrown.next();
    await expect(thrown.throw?.(new Error("the stream was destroyed"))).rejects.toThrow(
      "the stream was destroyed",
    );
    const left = await streamOf(endless());
    await left.next();
    await expect(left.return?.()).resolves.toMatchObject({ done: true });
    expect(logged).toEqual([]);
    expect(closed).toBe(2);
  });
});

test("a call that its client gives up as an internal error is not logged", async () => {
  let thrown: unknown;
  const running = await startTestServer((router) =>
    router.service(Health, {
      async *watch(_, context) {
        yield {};
        await once(context.signal, "abort");
        thrown = context.signal.reason;
        throw thrown;
      },
    }),
  );
  const session = connect(running.url);
  const path = `/${Health.typeName}/${Health.method.watch.name}`;
  const stream = session.request({
    ...{ ":method": "POST", ":path": path },
    "content-type": "application/grpc",
  });
  stream.on("error", () => undefined);
  stream.end(Buffer.alloc(5));
  await once(stream, "data");
  stream.close(constants.NGHTTP2_INTERNAL_ERROR);
  await expect.poll(() => thrown).toMatchObject({ code: Code.Internal });
  session.destroy();
  await running.server.close({ graceMs: 0 });
  expect(running.logged).toEqual([]);
});

describe("a stream of requests", () => {
  /** Reads the requests through the interceptor, as a service does, and throws what reading them throws. */
  async function serve(requests: AsyncIterable<number>, inner?: Error): Promise<void> {
    const intercept = logInternalErrors((_level, _message, { error }) => void logged.push(String(error)));
    const method = ServerReflection.method.serverReflectionInfo;
    const request = { stream: true, service: ServerReflection, method, message: requests, signal };
    const next = async (received: typeof request) => {
      for await (const _ of received.message) if (inner) throw inner;
      return { stream: true, message: [] };
    };
    await intercept(next as never)(request as never);
  }

  test("that is wrong is the client's fault, even where the protocol says internal", async () => {
    async function* broken() {
      yield 1;
      throw new ConnectError(
        "received compressed envelope, but do not know how to decompress",
        Code.Internal,
      );
    }
    await expect(serve(broken())).rejects.toThrow("[internal] received compressed envelope");
    expect(logged).toEqual([]);
  });

  test("whose service breaks is logged", async () => {
    async function* one() {
      yield 1;
    }
    await expect(serve(one(), new Error("inner secret"))).rejects.toThrow("inner secret");
    expect(logged).toEqual(["Error: inner secret"]);
  });
});
