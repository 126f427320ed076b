import { setTimeout as sleep } from "node:timers/promises";
import { createClient } from "@connectrpc/connect";
import { Operator } from "../../src/gen/omnisearch/operator_pb.ts";
import { startLoopbackDns } from "../loopback-dns.ts";
import { freePort } from "../loopback-port.ts";
import { askForAnswer, type SeenAnswer, serveHalfAnswers } from "./half-answers.ts";
import { serveRefusals } from "./refusing-replica.ts";
import { serveExecute } from "./serve-execute.ts";
import { folder, untilHealthy, waysIn } from "./stack.ts";
import { replaceOnce, startEnvoy } from "./start-envoy.ts";

const halfAnswersHost = "127.0.0.5";
const refusingHost = "127.0.0.6";
const silentHost = "127.0.0.7";

/** How long the silent replica works on a call. */
const silenceMs = 3_000;

/** Envoy before one replica of another kind. */
async function withEnvoyBefore<Result>(
  envoyProgram: string,
  host: string,
  replicaPort: number,
  use: (url: string) => Promise<Result>,
  change?: (config: string) => string,
): Promise<Result> {
  const dns = await startLoopbackDns({ portico: { A: [host] } });
  const envoy = await startEnvoy({
    envoy: envoyProgram,
    dns: dns.server,
    replicaPort,
    folder,
    ...(change && { change }),
  });
  try {
    await untilHealthy({ envoy }, 1);
    return await use(envoy.url);
  } finally {
    await envoy.stop();
    await dns.close();
  }
}

/** Asks, through Envoy, a replica that cuts off every other answer in the middle. */
export async function askHalfAnswers(
  envoyProgram: string,
  paths: readonly string[],
): Promise<readonly (SeenAnswer & { readonly tries: number })[]> {
  const replicaPort = await freePort();
  const server = await serveHalfAnswers(halfAnswersHost, replicaPort);
  try {
    return await withEnvoyBefore(envoyProgram, halfAnswersHost, replicaPort, async (url) => {
      const seen: (SeenAnswer & { tries: number })[] = [];
      for (const path of paths) {
        const before = server.calls();
        const answer = await askForAnswer(url, path);
        seen.push({ ...answer, tries: server.calls() - before });
      }
      return seen;
    });
  } finally {
    await server.close();
  }
}

/** Calls over every way in, through Envoy, of a replica that refuses every other one. */
export async function askRefusing(
  envoyProgram: string,
): Promise<readonly { readonly name: string; readonly outcome: string; readonly tries: number }[]> {
  const server = await serveRefusals(refusingHost);
  try {
    return await withEnvoyBefore(envoyProgram, refusingHost, server.port, async (url) => {
      const seen: { name: string; outcome: string; tries: number }[] = [];
      for (const [name, open] of waysIn) {
        const before = server.calls();
        const outcome = await createClient(Operator, open(url))
          .execute({ datas: [""] })
          .then(() => "OK", String);
        seen.push({ name, outcome, tries: server.calls() - before });
      }
      return seen;
    });
  } finally {
    await server.close();
  }
}

/** Envoy's limit for silence, 5 minutes by default, as short as a test can wait for. */
const limitSilence = (config: string) =>
  replaceOnce(
    config,
    "                request_headers_timeout: 30s\n",
    "                request_headers_timeout: 30s\n                stream_idle_timeout: 1s\n",
  );

const withoutIdleTimeout = (config: string) => replaceOnce(config, "idle_timeout: 3600s\n", "\n");

/**
 * Calls over every way in, through an Envoy whose limit for silence is shorter than its replica works on a call.
 * @param isLifted false leaves out what lifts that limit
 * @returns "OK" or the error of each way in
 */
export async function askSilent(
  envoyProgram: string,
  isLifted: boolean,
): Promise<readonly (readonly [name: string, outcome: string])[]> {
  const server = await serveExecute(silentHost, async () => {
    await sleep(silenceMs);
    return {};
  });
  const ask = (url: string) =>
    Promise.all(
      waysIn.map(async ([name, open]) => {
        const call = createClient(Operator, open(url)).execute({ datas: [""] });
        return [name, await call.then(() => "OK", String)] as const;
      }),
    );
  try {
    return await withEnvoyBefore(envoyProgram, silentHost, server.port, ask, (config) =>
      limitSilence(isLifted ? config : withoutIdleTimeout(config)),
    );
  } finally {
    await server.close();
  }
}
