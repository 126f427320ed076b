import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { chooseWorkers } from "../../src/node/pool/default-workers.ts";
import { startTiny } from "../load/start-tiny.ts";
import { requireGoTool } from "../require-go-tool.ts";
import { parseServeFlags } from "./parse-serve-flags.ts";
import { kubectl, renderKustomization, yamlToJson } from "./yaml-to-json.ts";

const kubeconform = requireGoTool("kubeconform");

interface Container {
  readonly securityContext: object;
  readonly args: readonly string[];
  readonly env: readonly { readonly name: string; readonly value: string }[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly resources: { readonly limits: { readonly [resource: string]: string; readonly memory: string } };
}

interface PodSpec {
  readonly containers: readonly [Container];
  readonly securityContext?: object;
  readonly terminationGracePeriodSeconds: number;
}

interface Resource {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: Readonly<Record<string, unknown>>;
}

/** What a cluster would get from a kustomization with these components. */
function render(folder: string, components: readonly string[] = []): string {
  if (components.length === 0) return renderKustomization(folder);
  const overlay = "output/deploy/overlay";
  mkdirSync(overlay, { recursive: true });
  const up = "../../../";
  const paths = components.map((name) => `${up}${folder}/components/${name}`);
  writeFileSync(
    `${overlay}/kustomization.yaml`,
    JSON.stringify({ resources: [up + folder], components: paths }),
  );
  return renderKustomization(overlay);
}

/** What is wrong with resources by the schemas of Kubernetes and KServe, or nothing. */
function validate(yaml: string): string {
  const schemas = "tools/deploy/schemas/{{.ResourceKind}}{{.KindSuffix}}.json";
  const { stdout } = spawnSync(kubeconform!, ["-schema-location", schemas, "-"], {
    input: yaml,
    encoding: "utf8",
  });
  return stdout;
}

/** Each is read once. */
const known = new Map<string, Resource[]>();
function resourcesOf(yaml: string): Resource[] {
  const resources = known.get(yaml) ?? (yamlToJson(yaml) as Resource[]);
  known.set(yaml, resources);
  return resources;
}

function find(yaml: string, kind: string): Resource {
  const found = resourcesOf(yaml).filter((resource) => resource.kind === kind);
  expect(found.map((resource) => resource.kind)).toEqual([kind]);
  return found[0]!;
}

interface AdapterRule {
  readonly seriesQuery: string;
  readonly resources: { readonly overrides: object };
  readonly metricsQuery: string;
}

/** kubectl reads resources alone, so that it is given one. */
function readAdapterRules(): readonly [AdapterRule] {
  const values = readFileSync("deploy/kubernetes/components/queue-depth/adapter-values.yaml", "utf8");
  const [read] = yamlToJson(`apiVersion: portico.example/v1\nkind: Values\nmetadata: {name: x}\n${values}`);
  return (read as { readonly rules: { readonly custom: readonly [AdapterRule] } }).rules.custom;
}

const podOf = (deployment: Resource) => (deployment.spec.template as { readonly spec: PodSpec }).spec;
const secure = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ["ALL"] },
};
/** No user by number: the image has one, and a cluster may prefer another. */
const user = { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } };
const portico = { "app.kubernetes.io/name": "portico" };

describe.skipIf(kubectl === undefined || kubeconform === undefined)("deploy/ for clusters", () => {
  const base = kubectl ? render("deploy/kubernetes") : "";
  const withAll = kubectl ? render("deploy/kubernetes", ["queue-depth", "fetch-urls", "pod-monitor"]) : "";
  const kserve = kubectl ? render("deploy/kserve") : "";

  test.each([
    ["deploy/kubernetes", base, 6],
    ["deploy/kubernetes with its components", withAll, 7],
    ["deploy/kserve", kserve, 2],
  ])("%s is what the schemas want", (_, yaml, count) => {
    expect(validate(yaml)).toBe("");
    expect(resourcesOf(yaml)).toHaveLength(count);
  });

  test.each([
    [base, "livenessProbe:", "livenesProbe:", "additional properties 'livenesProbe' not allowed"],
    [base, "maxReplicas: 8", "maxReplicas: many", "got string, want integer"],
    [base, "policyTypes:", "policyType:", "additional properties 'policyType' not allowed"],
    [base, "maxReplicas: 8", "maxReplica: 8", "missing property 'maxReplicas'"],
    [base, "kind: PodDisruptionBudget", "kind: PodDisruption", "could not find schema"],
    [withAll, "podMetricsEndpoints:", "endpoints:", "additional properties 'endpoints' not allowed"],
    [kserve, "runtime: portico", "runtimes: portico", "additional properties 'runtimes' not allowed"],
    [kserve, "scaleTarget: 70", "scaleTarget: most", "got string, want integer"],
    [kserve, "supportedModelFormats:", "modelFormats:", "additional properties 'modelFormats' not allowed"],
  ])("the schemas notice a mistake (%#)", (yaml, right, wrong, problem) => {
    expect(yaml).toContain(right);
    expect(validate(yaml.replace(right, wrong))).toContain(problem);
  });

  test("the flags are those of portico serve, and the pod is given the time that they take", () => {
    const pod = podOf(find(base, "Deployment"));
    const flags = parseServeFlags(pod.containers[0].args);
    expect(flags).toMatchObject({
      workers: 2,
      urls: "off",
      shutdownDelayMs: 5000,
      maxConnectionAgeMs: 60_000,
    });
    expect(pod.terminationGracePeriodSeconds * 1000).toBeGreaterThan(flags.shutdownDelayMs + flags.graceMs);
    const predictor = find(kserve, "InferenceService").spec.predictor as PodSpec;
    const { containers } = find(kserve, "ServingRuntime").spec as unknown as PodSpec;
    const runtime = parseServeFlags(containers[0].args);
    expect(runtime).toMatchObject({ workers: 2, urls: "off", listen: "*:52001" });
    expect(predictor.terminationGracePeriodSeconds * 1000).toBeGreaterThan(
      runtime.shutdownDelayMs + runtime.graceMs,
    );
    expect(() => parseServeFlags(["--worker=2"])).toThrow();
  });

  test("the memory limit holds the workers, and processors have none", () => {
    for (const { containers } of [podOf(find(base, "Deployment")), find(kserve, "ServingRuntime").spec]) {
      const { limits } = (containers as [Container])[0].resources;
      expect(limits).toEqual({ memory: "3Gi", "ephemeral-storage": "1Gi" });
      const memoryBytes = Number.parseInt(limits.memory, 10) * 2 ** 30;
      expect(chooseWorkers({ cores: 64, memoryBytes }).workers).toBeGreaterThanOrEqual(2);
    }
  });

  test("a container may do nothing but its work", () => {
    const pod = podOf(find(base, "Deployment"));
    expect(pod).toMatchObject({ automountServiceAccountToken: false });
    expect(pod.securityContext).toEqual(user);
    expect(pod.containers).toMatchObject([{ securityContext: secure }]);
    const [container] = find(kserve, "ServingRuntime").spec.containers as readonly [Container];
    expect(container).toMatchObject({ name: "kserve-container" });
    expect(container.securityContext).toEqual({ ...user, ...secure });
  });

  test("services, policy, budget and autoscaler are about the pods of the deployment, by its port", () => {
    const { spec } = find(base, "Deployment");
    expect(spec).toMatchObject({
      selector: { matchLabels: portico },
      template: { metadata: { labels: portico } },
    });
    expect(spec).not.toHaveProperty("replicas");
    const [container] = podOf(find(base, "Deployment")).containers;
    expect(container.ports).toEqual([{ name: "grpc", containerPort: 52001 }]);
    expect(container.env).toEqual([{ name: "OP_ENDPOINT", value: "portico:52001" }]);
    expect(resourcesOf(base).filter(({ kind }) => kind === "Service")).toMatchObject([
      {
        metadata: { name: "portico" },
        spec: { clusterIP: "None", selector: portico, ports: [{ port: 52001, targetPort: "grpc" }] },
      },
      {
        metadata: { name: "portico-http" },
        spec: { selector: portico, ports: [{ port: 80, targetPort: "grpc" }] },
      },
    ]);
    expect(find(base, "PodDisruptionBudget").spec.selector).toEqual({ matchLabels: portico });
    expect(find(base, "HorizontalPodAutoscaler").spec).toMatchObject({
      scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "portico" },
      metrics: [{ resource: { name: "cpu" } }],
    });
    expect(find(base, "NetworkPolicy").spec).toEqual({
      podSelector: { matchLabels: portico },
      policyTypes: ["Ingress", "Egress"],
      ingress: [{ ports: [{ protocol: "TCP", port: "grpc" }] }],
      egress: [],
    });
  });

  test("the components let URLs out and scale by what waits", () => {
    const flags = parseServeFlags(podOf(find(withAll, "Deployment")).containers[0].args);
    expect(flags).toMatchObject({ workers: 2, urls: "public" });
    expect(find(withAll, "NetworkPolicy").spec.egress).toHaveLength(2);
    expect(find(withAll, "HorizontalPodAutoscaler").spec.metrics).toMatchObject([
      { resource: { name: "cpu" } },
      { pods: { metric: { name: "portico_queue_items" } } },
    ]);
  });

  test("what waits is read from each pod once, and served to the autoscaler", async () => {
    const endpoint = { port: "grpc", path: "/metrics" };
    expect(find(withAll, "PodMonitor").spec).toMatchObject({
      jobLabel: "app.kubernetes.io/name",
      selector: { matchLabels: portico },
      podMetricsEndpoints: [endpoint],
    });
    const annotationsOf = (yaml: string) =>
      (find(yaml, "Deployment").spec.template as { readonly metadata: object }).metadata;
    const annotations = { "prometheus.io/port": "52001", "prometheus.io/path": endpoint.path };
    expect(annotationsOf(base)).toMatchObject({
      annotations: { ...annotations, "prometheus.io/scrape": "true" },
    });
    expect(annotationsOf(withAll)).toMatchObject({
      annotations: { ...annotations, "prometheus.io/scrape": "false" },
    });

    const [rule] = readAdapterRules();
    const [, series] = /^(\w+)\{namespace!="",pod!=""\}$/.exec(rule.seriesQuery) ?? [];
    expect(find(withAll, "HorizontalPodAutoscaler").spec.metrics).toContainEqual(
      expect.objectContaining({ pods: expect.objectContaining({ metric: { name: series } }) }),
    );
    expect(rule.resources.overrides).toEqual({
      namespace: { resource: "namespace" },
      pod: { resource: "pod" },
    });
    // As the adapter fills it in.
    const filled = rule.metricsQuery
      .replace("<<.GroupBy>>", "pod")
      .replace("<<.Series>>", series!)
      .replace("<<.LabelMatchers>>", 'namespace="pictures",pod=~"a|b"');
    expect(filled).toBe('sum by (pod) (portico_queue_items{namespace="pictures",pod=~"a|b"})');

    const server = await startTiny();
    try {
      const reply = await fetch(`${server.url}${endpoint.path}`);
      expect(await reply.text()).toMatch(new RegExp(`^${series}\\{model="tiny"\\} 0$`, "m"));
    } finally {
      await server.stop();
    }
  });

  test("an InferenceService finds its runtime", () => {
    const runtime = find(kserve, "ServingRuntime");
    expect(find(kserve, "InferenceService").spec.predictor).toMatchObject({
      model: { runtime: runtime.metadata.name, modelFormat: { name: "portico" } },
    });
    expect(runtime.spec.supportedModelFormats).toMatchObject([{ name: "portico" }]);
  });
});
