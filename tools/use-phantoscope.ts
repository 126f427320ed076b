import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import type { ServiceImpl } from "@connectrpc/connect";
import { afterEach } from "vitest";
import { Operator } from "../src/gen/omnisearch/operator_pb.ts";
import { type RegisterOptions, registerOperator } from "../src/node/phantoscope/register-operator.ts";
import {
  type PhantoscopeServer,
  type PhantoscopeServerOptions,
  startPhantoscopeServer,
} from "./phantoscope-server.ts";
import { startTestServer } from "./start-test-server.ts";

/** Servers that a spec of registering talks to; all are closed after each test. */
export function usePhantoscope() {
  const closings: (() => unknown)[] = [];
  afterEach(async () => {
    for (const close of closings.splice(0)) await close();
  });

  async function phantoscope(options: PhantoscopeServerOptions): Promise<PhantoscopeServer> {
    const server = await startPhantoscopeServer(options);
    closings.push(() => server.close());
    return server;
  }

  /** An operator on a port of its own whose Identity has that endpoint unless `identity` says otherwise. */
  async function operator(
    identity: Readonly<Record<string, string>> = {},
    more: Partial<ServiceImpl<typeof Operator>> = {},
  ): Promise<string> {
    const own = Promise.withResolvers<string>();
    const { port, server } = await startTestServer((router) =>
      router.service(Operator, {
        identity: async () => ({
          name: "vgg19",
          endpoint: await own.promise,
          type: "encoder",
          input: "image",
          output: "vector",
          dimension: "512",
          metricType: "L2",
          ...identity,
        }),
        healthy: () => ({ healthy: "healthy" }),
        ...more,
      }),
    );
    closings.push(() => server.close({ graceMs: 0 }));
    own.resolve(`127.0.0.1:${port}`);
    return own.promise;
  }

  async function httpServer(listener: RequestListener): Promise<string> {
    const server = createServer(listener).listen(0, "127.0.0.1");
    await once(server, "listening");
    closings.push(() => {
      server.closeAllConnections();
      server.close();
    });
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  return {
    phantoscope,
    operator,
    httpServer,
    /** After the test. */
    close: (closing: () => unknown) => void closings.push(closing),
  };
}

export const register = (options: Partial<RegisterOptions> & { phantoscope: string }) =>
  registerOperator({
    check: true,
    type: "encoder",
    author: "",
    operatorVersion: "1.2",
    timeoutMs: 20_000,
    ...options,
  });

/** Reason and message; hosts and ports differ from run to run. */
export const registerFailureOf = (options: Partial<RegisterOptions> & { phantoscope: string }) =>
  register(options).then(
    () => "registered",
    (error: { reason: string; message: string }) =>
      `${error.reason}: ${error.message}`
        .replaceAll(options.phantoscope, "PHANTOSCOPE")
        .replaceAll(options.endpoint ?? "no endpoint", "ENDPOINT"),
  );
