import { mkdir, readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { createClient, type Transport } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { Operator } from "../../src/gen/omnisearch/operator_pb.ts";
import { type CheckedCounts, createCheckingClient } from "../load/checking-client.ts";
import { type GhzReport, runGhz } from "../load/run-ghz.ts";
import { startLoopbackDns } from "../loopback-dns.ts";
import { freePort } from "../loopback-port.ts";
import { askForAnswer, type SeenAnswer, serveHalfAnswers } from "./half-answers.ts";
import { serveRefusals } from "./refusing-replica.ts";
import { createReplica, type Replica } from "./replica.ts";
import { type EnvoyProcess, startEnvoy } from "./start-envoy.ts";

/** Every way in that clients of Portico use. */
export const waysIn: readonly (readonly [name: string, open: (baseUrl: string) => Transport])[] = [
  ["gRPC", (baseUrl) => createGrpcTransport({ baseUrl })],
  ["gRPC-Web over HTTP/1.1", (baseUrl) => createGrpcWebTransport({ baseUrl, httpVersion: "1.1" })],
  ["gRPC-Web over HTTP/2", (baseUrl) => createGrpcWebTransport({ baseUrl, httpVersion: "2" })],
  ["Connect over HTTP/1.1", (baseUrl) => createConnectTransport({ baseUrl, httpVersion: "1.1" })],
  ["Connect over HTTP/2", (baseUrl) => createConnectTransport({ baseUrl, httpVersion: "2" })],
];

/** Loopback addresses that the name `portico` stands for, one for each replica. */
const hosts = ["127.0.0.2", "127.0.0.3", "127.0.0.4"];
const folder = "output/deploy";
const waitMaxMs = 60_000;
const pollMs = 20;

/** Envoy with the configuration of deploy/compose before three replicas of the tiny server. */
export interface Stack {
  readonly envoy: EnvoyProcess;
  readonly replicas: readonly [Replica, Replica, Replica];
  close(): Promise<void>;
}

export async function startStack(envoyProgram: string): Promise<Stack> {
  await mkdir(folder, { recursive: true });
  const replicaPort = await freePort();
  const replicas = hosts.map((host) => createReplica(`${host}:${replicaPort}`)) as [
    Replica,
    Replica,
    Replica,
  ];
  const dns = await startLoopbackDns({ portico: { A: hosts } });
  await Promise.all(replicas.map((replica) => replica.start()));
  const envoy = await startEnvoy({ envoy: envoyProgram, dns: dns.server, replicaPort, folder });
  return {
    envoy,
    replicas,
    async close() {
      await envoy.stop();
      await Promise.all(replicas.map((replica) => replica.stop("SIGKILL")));
      await dns.close();
    },
  };
}

/** Full path of ghz, and how it calls. */
export interface GhzLoad {
  readonly ghz: string;
  readonly callers: number;
  readonly calls: number;
  readonly callsPerSecond?: number;
}

/** Waits until Envoy sends calls to so many replicas. */
export const untilHealthy = ({ envoy }: Pick<Stack, "envoy">, count: number) =>
  until(
    `${count} healthy replicas`,
    async () => (await envoy.readClusterStat("membership_healthy")) === count,
  );

async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const endsAt = performance.now() + waitMaxMs;
  while (!(await isSo())) {
    if (performance.now() > endsAt) throw new Error(`expected ${what} within ${waitMaxMs / 1000} s`);
    await sleep(pollMs);
  }
}

const load = (
  url: string,
  { ghz, callers, calls, callsPerSecond }: GhzLoad,
  datas: readonly string[],
): Promise<GhzReport> =>
  runGhz({
    ...{ ghz, url, folder, callers, calls, ...(callsPerSecond !== undefined && { callsPerSecond }) },
    requests: datas.map((data) => ({ datas: [data] })),
  });

/** Calls by replica, and how far the one furthest from their mean is from it, as a part of it. */
export interface Balance {
  readonly calls: readonly number[];
  readonly furthest: number;
}

export function balanceOf(calls: readonly number[]): Balance {
  const mean = calls.reduce((sum, count) => sum + count, 0) / calls.length;
  return { calls, furthest: Math.max(...calls.map((count) => Math.abs(count - mean))) / mean };
}

/**
 * Loads three healthy replicas and counts what each has answered, in rounds until one is balanced. On a quiet machine the
 * first is; on a busy one, or just after its start, a replica is slower than the others and rightly gets fewer calls.
 */
export async function measureBalance(
  { envoy, replicas }: Stack,
  round: GhzLoad,
  { tolerance, maxRounds }: { readonly tolerance: number; readonly maxRounds: number },
): Promise<{ readonly balance: Balance; readonly codes: Readonly<Record<string, number>> }> {
  const { datas } = await createCheckingClient(envoy.url);
  const read = () => Promise.all(replicas.map((replica) => replica.readCalls()));
  const codes: Record<string, number> = {};
  for (let rounds = 1; ; rounds++) {
    const before = await read();
    addCodes(codes, await load(envoy.url, round, datas));
    const after = await read();
    const balance = balanceOf(after.map((count, index) => count - before[index]!));
    if (balance.furthest <= tolerance || rounds === maxRounds) return { balance, codes };
  }
}

function addCodes(codes: Record<string, number>, { statusCodeDistribution }: GhzReport): void {
  for (const [code, count] of Object.entries(statusCodeDistribution))
    codes[code] = (codes[code] ?? 0) + count;
}

/** What became of the calls of a load. */
export interface LoadCounts {
  /** ghz's calls by status. */
  readonly codes: Readonly<Record<string, number>>;
  /** Vectors that our own clients compared, by way in. */
  readonly checked: readonly (CheckedCounts & { readonly name: string })[];
  /** What failed a client of our own. */
  readonly lost: readonly string[];
}

/** Callers over every way in, and rounds of ghz beside them, for as long as `events` take. */
export async function loadDuring(
  { envoy }: Stack,
  round: GhzLoad,
  events: () => Promise<void>,
): Promise<LoadCounts> {
  let isOver = false;
  const clients = await Promise.all(
    waysIn.map(async ([name, open]) => ({
      name,
      client: await createCheckingClient(envoy.url, open(envoy.url)),
    })),
  );
  const codes: Record<string, number> = {};
  const lost: string[] = [];
  const rounds = async () => {
    while (!isOver) {
      const report = await load(envoy.url, round, clients[0]!.client.datas);
      addCodes(codes, report);
      lost.push(...Object.keys(report.errorDistribution ?? {}));
    }
  };
  const checks = clients.map(async ({ name, client }) => {
    const none: CheckedCounts = { vectors: 0, wrong: [] };
    const counts = await client
      .run(() => isOver)
      .catch((error: unknown) => {
        lost.push(`${name}: ${error}`);
        return none;
      });
    return { ...counts, name };
  });
  const [checked] = await Promise.all([
    Promise.all(checks),
    rounds(),
    events().finally(() => {
      isOver = true;
    }),
  ]);
  return { codes, checked, lost };
}

/** Waits until so many more calls were answered by a replica that stays up meanwhile. */
export async function afterCalls(replica: Replica, calls: number): Promise<void> {
  const before = await replica.readCalls();
  await until(`${calls} calls at ${replica.url}`, async () => (await replica.readCalls()) >= before + calls);
}

/** What became of one long call whose replica was lost while it worked on it. */
export interface LongCall {
  readonly requestBytes: number;
  readonly vectors: number;
  readonly wrong: number;
}

/**
 * One call of photographs, so that its body is longer than what Envoy keeps by default, and whose replica is lost.
 * @param lose is given the replica that works on the call
 */
export async function loseUnderLongCall(
  { replicas }: Stack,
  transport: Transport,
  lose: (busy: Replica) => Promise<unknown>,
): Promise<LongCall> {
  const photographs = await Promise.all(
    ["nagasaki-boats", "allium-oreophilum", "locomotion-house-cat"].map((name) =>
      readFile(`fixtures/images/photo/${name}.jpg`, "base64"),
    ),
  );
  const client = createClient(Operator, transport);
  const expected = await client.execute({ datas: photographs });
  const bitsOf = (element: readonly number[]) =>
    Buffer.from(Float32Array.from(element).buffer).toString("hex");
  const wanted = expected.vectors.map(({ element }) => bitsOf(element));
  const datas = Array.from(
    { length: longCallPictures },
    (_, index) => photographs[index % photographs.length]!,
  );
  const call = client.execute({ datas });
  // Its failure is told below; until then it is nobody's.
  call.catch(() => undefined);
  let busy: Replica | undefined;
  await until("the long call at a replica", async () => {
    const queued = await Promise.all(replicas.map((replica) => replica.readQueued()));
    busy = replicas[queued.findIndex((items) => items > 0)];
    return busy !== undefined;
  });
  await lose(busy!);
  const { vectors } = await call;
  return {
    requestBytes: datas.reduce((sum, data) => sum + data.length, 0),
    vectors: vectors.length,
    wrong: vectors.filter(({ element }, index) => bitsOf(element) !== wanted[index % wanted.length]).length,
  };
}

const longCallPictures = 20;

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
