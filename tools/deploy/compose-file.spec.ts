import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { devNull } from "node:os";
import { describe, expect, test } from "vitest";
import { requireTool } from "../require-tool.ts";
import { createTestAuthority } from "../test-certificates.ts";
import { parseServeFlags } from "./parse-serve-flags.ts";
import { composeFlags, envoyConfigFile } from "./start-envoy.ts";

interface Service {
  readonly image: string;
  readonly command: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly networks: Readonly<Record<string, unknown>>;
  readonly ports?: readonly { readonly published: string; readonly target: number }[];
  readonly secrets?: readonly object[];
  readonly read_only: boolean;
  readonly cap_drop: readonly string[];
  readonly security_opt: readonly string[];
  readonly deploy: { readonly replicas?: number };
  readonly stop_grace_period?: string;
}

interface Compose {
  readonly services: { readonly envoy: Service; readonly portico: Service };
  readonly networks: Readonly<Record<string, { readonly internal?: boolean }>>;
}

const compose = requireTool("docker-compose");
const envoy = requireTool("envoy");
const composeFile = "deploy/compose/compose.yaml";

/** What a developer has set for a deployment of his own is not what is tested here. */
const { PORTICO_HOST: _host, PORTICO_PORT: _port, ...environment } = process.env;

/** As `docker compose` reads its files with these flags in a folder; it needs no engine for that. */
function readConfig(flags: readonly string[], cwd = "."): Compose {
  const text = execFileSync(compose!, [...flags, "config", "--format", "json"], {
    encoding: "utf8",
    stdio: "pipe",
    env: environment,
    cwd,
  });
  return JSON.parse(text) as Compose;
}

/** Without a file .env. */
const load = (...files: string[]) =>
  readConfig(["--env-file", devNull, ...files.flatMap((file) => ["--file", file])]);

/** A block of YAML in docs/deploy.md, which begins with this line. */
function documented(firstLine: string): string {
  const docs = readFileSync("docs/deploy.md", "utf8");
  const [, ...blocks] = docs.split("```yaml\n");
  const found = blocks.map((block) => block.split("```")[0]!).filter((block) => block.startsWith(firstLine));
  expect(found).toHaveLength(1);
  return found[0]!;
}

const folder = "output/deploy";
function write(name: string, text: string): string {
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}/${name}`, text);
  return `${folder}/${name}`;
}

describe.skipIf(compose === undefined)(composeFile, () => {
  const { services, networks } = compose ? load(composeFile) : ({} as Compose);

  test("has three replicas without a way out, and Envoy as the one way in", () => {
    expect(services.portico.deploy.replicas).toBe(3);
    expect(services.portico.ports).toBeUndefined();
    expect(Object.keys(services.portico.networks)).toEqual(["inside"]);
    expect(networks.inside?.internal).toBe(true);
    expect(services.envoy.ports).toMatchObject([{ published: "52001", target: 52001 }]);
  });

  test("gives nobody more than is needed", () => {
    for (const { read_only, cap_drop, security_opt } of Object.values(services)) {
      expect({ read_only, cap_drop, security_opt }).toEqual({
        read_only: true,
        cap_drop: ["ALL"],
        security_opt: ["no-new-privileges"],
      });
    }
  });

  test("starts Envoy as the test of its configuration does", () => {
    expect(services.envoy.command).toEqual(["--config-path", "/etc/envoy/envoy.yaml", ...composeFlags]);
  });

  test("tells each replica the port that Envoy asks", () => {
    expect(services.portico.environment).toEqual({ OP_ENDPOINT: "localhost:52001" });
  });

  test("keeps the host of docs/deploy.md for every later command", () => {
    const [, command] = /^(echo PORTICO_HOST=.*)$/m.exec(readFileSync("docs/deploy.md", "utf8"))!;
    const cwd = `${folder}/with-env`;
    rmSync(cwd, { recursive: true, force: true });
    mkdirSync(cwd, { recursive: true });
    copyFileSync(composeFile, `${cwd}/compose.yaml`);
    execFileSync("sh", ["-c", command!], { cwd, env: environment });
    const { portico } = readConfig([], cwd).services;
    expect(portico.environment).toEqual({ OP_ENDPOINT: "192.168.1.85:52001" });
  });

  test("gives a replica the time that it takes to stop", () => {
    const { shutdownDelayMs, graceMs, urls } = parseServeFlags(services.portico.command);
    expect({ shutdownDelayMs, urls }).toEqual({ shutdownDelayMs: 3000, urls: "off" });
    const grace = /^(\d+)s$/.exec(services.portico.stop_grace_period ?? "")?.[1];
    expect(Number(grace) * 1000).toBeGreaterThan(shutdownDelayMs + graceMs);
  });

  test.skipIf(envoy === undefined)("has the version of Envoy that is tested", () => {
    const [version] = /\d+\.\d+\.\d+/.exec(execFileSync(envoy!, ["--version"], { encoding: "utf8" })) ?? [];
    expect(services.envoy.image).toBe(`envoyproxy/envoy:distroless-v${version}`);
  });

  test("takes tokens as docs/deploy.md says", () => {
    const override = write("compose.override.yaml", documented("services:\n"));
    const { portico } = load(composeFile, override).services;
    const { tokensFile, ...flags } = parseServeFlags(portico.command);
    expect(flags).toEqual(parseServeFlags(services.portico.command));
    expect(portico.secrets).toEqual([{ source: "tokens", target: tokensFile }]);
  });

  test("is refused with a word that the Compose Specification does not know", () => {
    const text = readFileSync(composeFile, "utf8").replace("cap_drop:", "cap_drops:");
    expect(() => load(write("wrong-compose.yaml", text))).toThrow(
      "services.envoy additional properties 'cap_drops' not allowed",
    );
  });
});

describe.skipIf(envoy === undefined)(envoyConfigFile, () => {
  const validate = (file: string) =>
    execFileSync(envoy!, ["--mode", "validate", "--config-path", file], { encoding: "utf8", stdio: "pipe" });

  test("is one that Envoy takes, with TLS as docs/deploy.md says too", () => {
    expect(validate(envoyConfigFile)).toContain("OK");
    const { certPem, keyPem } = createTestAuthority().issue("localhost", ["localhost"]);
    const tls = documented("        - transport_socket:\n")
      .replace("/etc/envoy/tls.crt", write("tls.crt", certPem))
      .replace("/etc/envoy/tls.key", write("tls.key", keyPem));
    const plain = readFileSync(envoyConfigFile, "utf8");
    const begin = "        - filters:\n";
    expect(plain.split(begin)).toHaveLength(2);
    const encrypted = write("tls-envoy.yaml", plain.replace(begin, tls));
    expect(validate(encrypted)).toContain("OK");
    writeFileSync(encrypted, readFileSync(encrypted, "utf8").replace("alpn_protocols", "alpn_protocol"));
    expect(() => validate(encrypted)).toThrow("alpn_protocol");
  });
});
