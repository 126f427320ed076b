import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, rm, writeFile } from "node:fs/promises";
import { freePort } from "../loopback-port.ts";

/** The configuration of deploy/compose, from the root of the repository. */
export const envoyConfigFile = "deploy/compose/envoy.yaml";

/** Flags that compose.yaml starts it with, beside the path of the file. */
export const composeFlags = ["--concurrency", "2", "--disable-hot-restart"];

/** An address in Envoy's configuration, as the file writes it. */
interface SocketAddress {
  readonly address: string;
  readonly port: number;
}

const written = ({ address, port }: SocketAddress) => `{ address: ${address}, port_value: ${port} }`;

/** @throws Error unless each address to be replaced is in the text exactly once */
export function replaceAddresses(
  text: string,
  replacements: readonly (readonly [from: SocketAddress, to: SocketAddress])[],
): string {
  return replacements.reduce(
    (replaced, [from, to]) => replaceOnce(replaced, written(from), written(to)),
    text,
  );
}

/** @throws Error unless `from` is in the text of the file exactly once */
export function replaceOnce(text: string, from: string, to: string): string {
  const parts = text.split(from);
  if (parts.length !== 2)
    throw new Error(`expected ${from.trim()} once in ${envoyConfigFile}, got it ${parts.length - 1} times`);
  return parts.join(to);
}

export interface EnvoyOptions {
  /** Full path of the program. */
  readonly envoy: string;
  /** 127.0.0.1:PORT of the name server that knows `portico`. */
  readonly dns: string;
  /** Port of every replica. */
  readonly replicaPort: number;
  /** Where its configuration is written. */
  readonly folder: string;
  /** Changes the text of its configuration further; nothing by default. */
  readonly change?: (text: string) => string;
}

export interface EnvoyProcess {
  /** http://HOST:PORT */
  readonly url: string;
  /** A counter or gauge of the cluster `portico`. */
  readClusterStat(name: string): Promise<number>;
  stop(): Promise<void>;
}

/**
 * Starts Envoy with the configuration of deploy/compose, on free ports of 127.0.0.1; nothing else of the file is
 * changed but by `change`. Docker's name server, which knows the replicas' addresses, is stood for by `dns`.
 */
export async function startEnvoy({
  envoy,
  dns,
  replicaPort,
  folder,
  change = (text) => text,
}: EnvoyOptions): Promise<EnvoyProcess> {
  const [port, adminPort] = [await freePort(), await freePort()];
  const config = `${folder}/envoy-${port}.yaml`;
  const host = "127.0.0.1";
  await writeFile(
    config,
    replaceAddresses(change(await readFile(envoyConfigFile, "utf8")), [
      [
        { address: "0.0.0.0", port: 52001 },
        { address: host, port },
      ],
      [
        { address: host, port: 9901 },
        { address: host, port: adminPort },
      ],
      [
        { address: "portico", port: 52001 },
        { address: "portico", port: replicaPort },
      ],
    ]),
  );
  const child = spawn(
    envoy,
    [
      ...["--config-path", config, "--config-yaml", JSON.stringify(resolver(dns))],
      ...composeFlags,
      ...["--log-level", "warning"],
    ],
    { stdio: ["ignore", "ignore", "inherit"] },
  );
  const exited = once(child, "exit");
  const admin = `http://${host}:${adminPort}`;
  await untilReady(child, `${admin}/ready`);
  return {
    url: `http://${host}:${port}`,
    async readClusterStat(name) {
      const reply = await fetch(`${admin}/stats?filter=^cluster\\.portico\\.${name}$`);
      const text = await reply.text();
      const value = /: (\d+)\n$/.exec(text)?.[1];
      if (value === undefined)
        throw new Error(`expected one value of cluster.portico.${name}, got "${text}"`);
      return Number(value);
    },
    async stop() {
      child.kill("SIGTERM");
      await exited;
      await rm(config);
    },
  };
}

/** Envoy merges it into the file. */
function resolver(dns: string): object {
  const [address, port] = dns.split(":");
  return {
    typed_dns_resolver_config: {
      name: "envoy.network.dns_resolver.cares",
      typed_config: {
        "@type": "type.googleapis.com/envoy.extensions.network.dns_resolver.cares.v3.CaresDnsResolverConfig",
        resolvers: [{ socket_address: { address, port_value: Number(port) } }],
      },
    },
  };
}

const pollMs = 50;

async function untilReady(child: ChildProcess, url: string): Promise<void> {
  for (;;) {
    if (child.exitCode !== null) throw new Error(`envoy ended with exit code ${child.exitCode}`);
    // Refused until it listens.
    const isReady = await fetch(url).then(
      ({ ok }) => ok,
      () => false,
    );
    if (isReady) return;
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}
