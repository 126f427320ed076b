import { mkdir } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { Transport } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { startLoopbackDns } from "../loopback-dns.ts";
import { freePort } from "../loopback-port.ts";
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
/** Where Envoy and ghz write. */
export const folder = "output/deploy";
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

/** Waits until Envoy sends calls to so many replicas. */
export const untilHealthy = ({ envoy }: Pick<Stack, "envoy">, count: number) =>
  until(
    `${count} healthy replicas`,
    async () => (await envoy.readClusterStat("membership_healthy")) === count,
  );

/** @throws Error if it is not so within a minute */
export async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const endsAt = performance.now() + waitMaxMs;
  while (!(await isSo())) {
    if (performance.now() > endsAt) throw new Error(`expected ${what} within ${waitMaxMs / 1000} s`);
    await sleep(pollMs);
  }
}
