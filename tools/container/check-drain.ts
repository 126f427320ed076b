import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { Health, HealthCheckResponse_ServingStatus } from "../../src/gen/grpc/health/v1/health_pb.ts";
import { readVectorGolden } from "../../src/node/model/vector-golden.ts";
import { executeOutcome } from "../call-outcome.ts";
import type { Cases } from "../cases.ts";
import { operatorOverGrpcJs } from "../faults/operator-over-grpc-js.ts";
import type { Container } from "./start-container.ts";

const { SERVING, NOT_SERVING } = HealthCheckResponse_ServingStatus;

/** Long enough for the whole of a drain to be seen while they last: some seconds for one worker. */
const long = { calls: 4, pictures: 30 };
const pollMs = 20;

/** The port is closed: the call was never taken, and a client may try another server at once. */
const isRefused = (outcome: string) => /^Unavailable .*connect ECONN(REFUSED|RESET)/.test(outcome);

/**
 * Stops a container in the middle of long calls, by SIGTERM as `docker stop` does. The server must have been started with
 * one worker and a `--shutdown-delay-ms` in which health can be asked.
 * @param address HOST:PORT
 */
export async function checkDrain(
  cases: Cases,
  container: Container,
  address: string,
  healthcheck: readonly string[],
) {
  const photo = await readVectorGolden("photo/locomotion-house-cat.jpg");
  const datas = Array.from({ length: long.pictures }, () => Buffer.from(photo.bytes).toString("base64"));
  const busy = Array.from({ length: long.calls }, () => operatorOverGrpcJs(address));
  const idle = operatorOverGrpcJs(address);
  await idle.identity({});
  const health = createClient(Health, createGrpcTransport({ baseUrl: `http://${address}` }));
  const states = health.watch({})[Symbol.asyncIterator]();
  const nextState = async () => (await states.next()).value?.status;
  cases.equal("drain: grpc.health.v1 before SIGTERM", await nextState(), SERVING);

  let underWay = busy.length;
  const outcomes = busy.map((client) =>
    executeOutcome(client.execute({ datas }), photo, datas.length).finally(() => {
      underWay -= 1;
    }),
  );
  const metrics = async () => (await fetch(`http://${address}/metrics`)).text();
  while (!/^portico_queue_items\{model="resnet50"\} [1-9]/m.test(await metrics())) await sleep(pollMs);

  await container.kill("SIGTERM");
  cases.equal("drain: grpc.health.v1 after SIGTERM", await nextState(), NOT_SERVING);
  cases.equal("drain: /readyz after SIGTERM", (await fetch(`http://${address}/readyz`)).status, 503);
  const check = await container.exec(...healthcheck);
  cases.check(
    "drain: HEALTHCHECK after SIGTERM",
    check.code === 1 && /: 503 not ready$/.test(check.output.trim()),
    `${check.code}: ${check.output.trim()}`,
  );
  cases.equal("drain: calls under way when health has turned", underWay, busy.length);

  const askNew = async () => {
    const client = operatorOverGrpcJs(address);
    return executeOutcome(
      client.identity({}).then(() => ({})),
      photo,
    ).finally(client.close);
  };
  let onNew = await askNew();
  while (onNew === "right") {
    await sleep(pollMs);
    onNew = await askNew();
  }
  const identityOf = (client: typeof idle) =>
    executeOutcome(
      client.identity({}).then(() => ({})),
      photo,
    );
  const [onIdle, onBusy] = await Promise.all([identityOf(idle), identityOf(busy[0]!)]);
  cases.equal("drain: calls still under way when the port has closed", underWay, busy.length);
  cases.check("drain: a call on a new connection is refused", isRefused(onNew), onNew);
  cases.check("drain: a call on an idle connection is refused", isRefused(onIdle), onIdle);
  cases.check("drain: a call beside a long one is refused", isRefused(onBusy), onBusy);
  cases.equal(
    "drain: every call that was taken gets its vectors",
    await Promise.all(outcomes),
    busy.map(() => "right"),
  );
  const { callsCutOff, ms } = await container.untilLogged("stopped");
  cases.check("drain: no call was cut off", callsCutOff === 0, `${callsCutOff}, after ${ms} ms`);
  cases.equal("drain: exit code", await container.ended, 0);
  for (const client of [...busy, idle]) client.close();
}

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
