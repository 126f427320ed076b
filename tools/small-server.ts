import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import { Operator } from "../src/gen/omnisearch/operator_pb.ts";
import type { HttpLimits } from "../src/node/http/http-limits.ts";
import { startTestServer, type TestServer } from "./start-test-server.ts";

/** Healthy answers at once, Identity after 300 ms. */
export const startSmallServer = (limits: Partial<HttpLimits> = {}) =>
  startTestServer(
    (router) =>
      router.service(Operator, {
        healthy: () => ({ healthy: "healthy" }),
        async identity() {
          await sleep(300);
          return { name: "slow" };
        },
      }),
    limits,
  );

/** Far more than a busy machine needs; what a test waits for comes sooner. */
export const waitMs = 20_000;

const json = { "content-type": "application/json" };

/** @returns status and body */
export async function callHttp1(url: string, method = "Healthy"): Promise<string> {
  const response = await fetch(`${url}/omnisearch.Operator/${method}`, {
    method: "POST",
    headers: json,
    body: "{}",
  });
  return `${response.status} ${await response.text()}`;
}

/** @returns status and body */
export async function callHttp2(url: string, method = "Healthy"): Promise<string> {
  const session = connectHttp2(url);
  try {
    const stream = session.request({ ":method": "POST", ":path": `/omnisearch.Operator/${method}`, ...json });
    let status: unknown;
    let text = "";
    stream.on("response", (headers) => {
      status = headers[":status"];
    });
    stream.setEncoding("utf8").on("data", (chunk) => {
      text += chunk;
    });
    stream.end("{}");
    await once(stream, "close");
    return `${status} ${text}`;
  } finally {
    session.close();
  }
}

/** It answers as ever, over both versions. */
export async function expectAlive({ url }: TestServer): Promise<void> {
  expect(await callHttp1(url)).toBe('200 {"healthy":"healthy"}');
  expect(await callHttp2(url)).toBe('200 {"healthy":"healthy"}');
}
