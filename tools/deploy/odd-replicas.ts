import { createClient } from "@connectrpc/connect";
import { Operator } from "../../src/gen/omnisearch/operator_pb.ts";
import { startLoopbackDns } from "../loopback-dns.ts";
import { freePort } from "../loopback-port.ts";
import { askForAnswer, type SeenAnswer, serveHalfAnswers } from "./half-answers.ts";
import { serveRefusals } from "./refusing-replica.ts";
import { folder, untilHealthy, waysIn } from "./stack.ts";
import { startEnvoy } from "./start-envoy.ts";

const halfAnswersHost = "127.0.0.5";
const refusingHost = "127.0.0.6";

/** Envoy before one replica of another kind. */
async function withEnvoyBefore<Result>(
  envoyProgram: string,
  host: string,
  replicaPort: number,
  use: (url: string) => Promise<Result>,
): Promise<Result> {
  const dns = await startLoopbackDns({ portico: { A: [host] } });
  const envoy = await startEnvoy({ envoy: envoyProgram, dns: dns.server, replicaPort, folder });
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
