import type { StreamResponse, UnaryRequest } from "@connectrpc/connect";
import { beforeEach, describe, expect, test } from "vitest";
import { Health } from "../gen/grpc/health/v1/health_pb.ts";
import { logInternalErrors } from "./log-internal-errors.ts";

let logged: string[];
beforeEach(() => {
  logged = [];
});

/** The stream that a Watch answers, as the adapter reads it through the interceptor. */
async function streamOf(messages: AsyncIterable<number>): Promise<AsyncIterator<unknown>> {
  const intercept = logInternalErrors((_level, _message, { error }) => void logged.push(String(error)));
  const request = { service: Health, method: Health.method.watch } as unknown as UnaryRequest;
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
