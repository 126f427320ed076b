import { Agent } from "node:http";
import { connect } from "node:net";
import { Code, createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { executeOutcome } from "../../tools/call-outcome.ts";
import { operatorOverGrpcJs } from "../../tools/faults/operator-over-grpc-js.ts";
import { type PorticoProcess, startPortico } from "../../tools/start-portico.ts";
import type { SelfCheck } from "../embed/self-check.ts";
import { Health, HealthCheckResponse_ServingStatus } from "../gen/grpc/health/v1/health_pb.ts";
import { Operator } from "../gen/omnisearch/operator_pb.ts";
import { readVectorGolden } from "../node/model/vector-golden.ts";

const { SERVING, NOT_SERVING } = HealthCheckResponse_ServingStatus;

let photo: SelfCheck;
let data: string;
let server: PorticoProcess | undefined;

beforeAll(async () => {
  photo = await readVectorGolden("photo/locomotion-house-cat.jpg");
  data = Buffer.from(photo.bytes).toString("base64");
});
afterEach(() => server?.stop("SIGKILL"));

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** One connection of its own, kept alive. */
const clients = {
  "Connect over HTTP/1.1": (address: string) =>
    createClient(
      Operator,
      createConnectTransport({
        baseUrl: `http://${address}`,
        httpVersion: "1.1",
        nodeOptions: { agent: new Agent({ keepAlive: true, maxSockets: 1 }) },
      }),
    ),
  "gRPC over HTTP/2": operatorOverGrpcJs,
} as const;
type ClientName = keyof typeof clients;
const clientNames = Object.keys(clients) as ClientName[];

const outcomeOf = (call: Promise<{ vectors?: { element: number[] }[] }>) => executeOutcome(call, photo);

/** The port is closed: the call was never taken, and a client may try another server at once. */
const isRefused = (outcome: string) => /^Unavailable .*connect ECONN(REFUSED|RESET)/.test(outcome);

test("under load no call that was taken is lost, and no connection breaks", async () => {
  server = await startPortico({ args: ["--workers", "2"] });
  const { address } = server;
  const outcomes: string[] = [];
  let rightAfterSignal = 0;
  let isTold = false;

  async function callUntilRefused(name: ClientName, isLight: boolean): Promise<void> {
    const client = clients[name](address);
    for (;;) {
      const wasTold = isTold;
      const outcome = await outcomeOf(
        isLight ? client.identity({}).then(() => ({})) : client.execute({ datas: [data] }),
      );
      outcomes.push(outcome);
      if (outcome !== "right") return;
      if (isTold && !wasTold) rightAfterSignal += 1;
    }
  }
  const callers = clientNames.flatMap((name) => [
    ...[0, 1, 2].map(() => callUntilRefused(name, true)),
    ...[0, 1].map(() => callUntilRefused(name, false)),
  ]);
  await sleep(1_500);
  const stopped = server.stop("SIGTERM");
  isTold = true;
  await Promise.all(callers);

  expect(outcomes.filter((outcome) => outcome !== "right" && !isRefused(outcome))).toEqual([]);
  // Every caller was in the middle of a call when the signal came.
  expect(rightAfterSignal).toBeGreaterThan(callers.length / 2);
  await expect(stopped).resolves.toBe(0);
});

test("health says NOT_SERVING first; with --shutdown-delay-ms calls are still taken for that long", async () => {
  server = await startPortico({ args: ["--workers", "1", "--shutdown-delay-ms", "3000"] });
  const transport = createGrpcTransport({ baseUrl: `http://${server.address}` });
  const states = createClient(Health, transport).watch({})[Symbol.asyncIterator]();
  expect((await states.next()).value?.status).toBe(SERVING);
  const stopped = server.stop("SIGTERM");
  expect((await states.next()).value?.status).toBe(NOT_SERVING);
  expect((await fetch(`http://${server.address}/readyz`)).status).toBe(503);
  expect((await fetch(`http://${server.address}/livez`)).status).toBe(200);
  const late = createClient(
    Operator,
    createConnectTransport({ baseUrl: `http://${server.address}`, httpVersion: "1.1" }),
  );
  expect(await outcomeOf(late.healthy({}).then(() => ({})))).toMatch(
    /^Unavailable .*SHUTTING_DOWN: the server stops; call another one/,
  );
  expect(await outcomeOf(late.execute({ datas: [data] }))).toBe("right");
  await expect(states.next()).rejects.toMatchObject({ code: Code.Unavailable });
  await expect(stopped).resolves.toBe(0);
  const end = server.log.find(({ msg }) => msg === "stopped");
  expect(end).toMatchObject({ callsCutOff: 0, ms: expect.any(Number) });
  expect(end?.ms).toBeGreaterThanOrEqual(2_990);
});

describe("calls that are cut off", () => {
  /** Many times what one worker does in the grace. */
  const batch = () => Array.from({ length: 30 }, () => data);

  /** The batch has arrived, and its first pictures wait for the worker. */
  async function untilWorking({ address }: PorticoProcess): Promise<void> {
    const page = async () => (await fetch(`http://${address}/metrics`)).text();
    await expect.poll(page, { timeout: 20_000 }).toMatch(/^portico_queue_items\{model="resnet50"\} [1-9]/m);
  }

  test.each(clientNames)("%s: after the grace a call is told so, and the exit code is 1", async (name) => {
    server = await startPortico({ args: ["--workers", "1", "--grace-ms", "2000"] });
    const call = outcomeOf(clients[name](server.address).execute({ datas: batch() }));
    await untilWorking(server);
    const stopped = server.stop("SIGTERM");
    expect(await call).toMatch(
      /^Unavailable .*SHUTTING_DOWN: \d+ of 30 items failed: datas\[\d+\] SHUTTING_DOWN: the server stops, and calls in flight had 1000 ms to end \(--grace-ms 2000\)/,
    );
    await expect(stopped).resolves.toBe(1);
    expect(server.log).toContainEqual(
      expect.objectContaining({
        calls: 1,
        msg: "calls in flight were cut off",
      }),
    );
  });

  test("a call whose body never comes holds the process for no longer than the grace", async () => {
    const graceMs = 3_000;
    server = await startPortico({ args: ["--workers", "1", "--grace-ms", String(graceMs)] });
    const [host, port] = server.address.split(":");
    const socket = connect({ host: host as string, port: Number(port) }).on("error", () => undefined);
    socket.write(
      "POST /omnisearch.Operator/Identity HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{",
    );
    const page = async () => (await fetch(`http://${server?.address}/livez`)).status;
    await expect.poll(page).toBe(200);
    await expect(server.stop("SIGTERM")).resolves.toBe(1);
    const end = server.log.find(({ msg }) => msg === "stopped");
    expect(end).toMatchObject({ callsCutOff: 1 });
    expect(end?.ms).toBeGreaterThan(graceMs / 2);
    expect(end?.ms).toBeLessThanOrEqual(graceMs);
  });

  test("with --grace-ms 0 at once", async () => {
    server = await startPortico({ args: ["--workers", "1", "--grace-ms", "0"] });
    const call = outcomeOf(operatorOverGrpcJs(server.address).execute({ datas: batch() }));
    await untilWorking(server);
    const stopped = server.stop("SIGTERM");
    expect(await call).toMatch(/SHUTTING_DOWN: the server stops, and calls in flight had 0 ms to end/);
    await expect(stopped).resolves.toBe(1);
    expect(server.log).toContainEqual(expect.objectContaining({ msg: "stopped", callsCutOff: 1 }));
  });

  test("a second signal ends the server at once, with exit code 1", async () => {
    server = await startPortico({ args: ["--workers", "1"] });
    const call = outcomeOf(operatorOverGrpcJs(server.address).execute({ datas: batch() }));
    await untilWorking(server);
    const stopped = server.stop("SIGTERM");
    await expect.poll(() => server?.log.at(-1)?.msg).toBe("stopping: calls in flight may end");
    await sleep(150);
    server.child.kill("SIGINT");
    await expect(stopped).resolves.toBe(1);
    expect(await call).toMatch(/SHUTTING_DOWN: the server stops, and was told to hurry; call another one/);
  });

  test("a signal that comes twice at once, as to a process group, is one", async () => {
    server = await startPortico({ args: ["--workers", "1"] });
    const call = outcomeOf(operatorOverGrpcJs(server.address).execute({ datas: batch().slice(0, 8) }));
    await untilWorking(server);
    const stopped = server.stop("SIGTERM");
    server.child.kill("SIGINT");
    expect(await call).toBe("right");
    await expect(stopped).resolves.toBe(0);
  });
});
