import { Code, ConnectError, createClient, createRouterTransport } from "@connectrpc/connect";
import { beforeEach, describe, expect, test } from "vitest";
import { Health, HealthCheckResponse_ServingStatus } from "../gen/grpc/health/v1/health_pb.ts";
import { addHealth } from "./health.ts";
import { createReadiness, type SettableReadiness } from "./readiness.ts";

const { SERVING, NOT_SERVING, SERVICE_UNKNOWN } = HealthCheckResponse_ServingStatus;

let readiness: SettableReadiness;
let listeners: number;
let closing: AbortController;
let client: ReturnType<typeof createClient<typeof Health>>;

beforeEach(() => {
  const inner = createReadiness();
  listeners = 0;
  readiness = {
    ...inner,
    onChange(listener) {
      listeners++;
      const stop = inner.onChange(listener);
      return () => {
        listeners--;
        stop();
      };
    },
  };
  closing = new AbortController();
  client = createClient(
    Health,
    createRouterTransport((router) =>
      addHealth(router, readiness, { "omnisearch.Operator": readiness }, closing.signal),
    ),
  );
});

describe("Check", () => {
  test.each(["", "omnisearch.Operator"])("follows readiness for %j", async (service) => {
    expect((await client.check({ service })).status).toBe(NOT_SERVING);
    readiness.set(true);
    expect((await client.check({ service })).status).toBe(SERVING);
    readiness.set(false);
    expect((await client.check({ service })).status).toBe(NOT_SERVING);
  });

  test("does not know any other service", async () => {
    const error = ConnectError.from(
      await client.check({ service: "no.Such" }).catch((thrown: unknown) => thrown),
    );
    expect(error.code).toBe(Code.NotFound);
    expect(error.rawMessage).toBe('expected the empty name or one of omnisearch.Operator, got "no.Such"');
  });

  test.each([
    ["a long name", "a".repeat(201), "a".repeat(200)],
    ["a name cut within a character", `${"a".repeat(199)}🎛`, `${"a".repeat(199)}\ufffd`],
  ])("repeats 200 characters of %s", async (_, service, shown) => {
    const error = ConnectError.from(await client.check({ service }).catch((thrown: unknown) => thrown));
    expect(error.rawMessage).toBe(`expected the empty name or one of omnisearch.Operator, got "${shown}"`);
  });
});

test("List tells every service", async () => {
  const { statuses } = await client.list({});
  expect(Object.entries(statuses).map(([name, { status }]) => [name, status])).toEqual([
    ["", NOT_SERVING],
    ["omnisearch.Operator", NOT_SERVING],
  ]);
});

describe("Watch", () => {
  async function watch(service: string) {
    const cancel = new AbortController();
    const states = client.watch({ service }, { signal: cancel.signal })[Symbol.asyncIterator]();
    const next = async () => (await states.next()).value?.status;
    return { cancel, next };
  }

  test("tells the state at once and every change", async () => {
    const { next, cancel } = await watch("omnisearch.Operator");
    expect(await next()).toBe(NOT_SERVING);
    const changed = next();
    readiness.set(true);
    expect(await changed).toBe(SERVING);
    readiness.set(false);
    expect(await next()).toBe(NOT_SERVING);
    expect(listeners).toBe(1);
    cancel.abort();
    await expect(next()).rejects.toMatchObject({ code: Code.Canceled });
    expect(listeners).toBe(0);
  });

  test("a slow reader gets the latest state, and nothing where it is the same again", async () => {
    const { next } = await watch("");
    expect(await next()).toBe(NOT_SERVING);
    readiness.set(true);
    readiness.set(false);
    let answered = false;
    const later = next().then((status) => {
      answered = true;
      return status;
    });
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(answered).toBe(false);
    readiness.set(true);
    expect(await later).toBe(SERVING);
  });

  test("keeps the stream open for an unknown service", async () => {
    const { next, cancel } = await watch("no.Such");
    expect(await next()).toBe(SERVICE_UNKNOWN);
    const end = next();
    cancel.abort();
    await expect(end).rejects.toMatchObject({ code: Code.Canceled });
  });

  test("ends at its deadline", async () => {
    const states = client.watch({}, { timeoutMs: 30 })[Symbol.asyncIterator]();
    await states.next();
    await expect(states.next()).rejects.toMatchObject({ code: Code.DeadlineExceeded });
    expect(listeners).toBe(0);
  });

  test("tells the last state when the server shuts down", async () => {
    readiness.set(true);
    const { next } = await watch("");
    expect(await next()).toBe(SERVING);
    const last = next();
    readiness.end();
    closing.abort();
    expect(await last).toBe(NOT_SERVING);
    await expect(next()).rejects.toMatchObject({ code: Code.Unavailable });
  });

  test.each(["", "no.Such"])("ends when the server shuts down: %j", async (service) => {
    const { next } = await watch(service);
    await next();
    const end = next();
    closing.abort();
    await expect(end).rejects.toMatchObject({ code: Code.Unavailable, rawMessage: "the server shuts down" });
    expect(listeners).toBe(0);
  });
});
