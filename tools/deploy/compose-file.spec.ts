import { execFileSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { requireGoTool } from "../require-go-tool.ts";
import { requireTool } from "../require-tool.ts";
import { parseServeFlags } from "./parse-serve-flags.ts";
import { composeFlags } from "./start-envoy.ts";

interface Service {
  readonly image: string;
  readonly command: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly networks: Readonly<Record<string, unknown>>;
  readonly ports?: readonly { readonly published: string; readonly target: number }[];
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

/** What `docker compose` itself reads the file with, and checks it against the Compose Specification. */
const compose = requireGoTool("cmd");
const envoy = requireTool("envoy");

function load(file: string): Compose {
  const text = execFileSync(compose!, ["-format", "json", file], { encoding: "utf8", stdio: "pipe" });
  return JSON.parse(text) as Compose;
}

describe.skipIf(compose === undefined)("deploy/compose/compose.yaml", () => {
  const { services, networks } = compose ? load("deploy/compose/compose.yaml") : ({} as Compose);

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
});
