import { describe, expect, test } from "vitest";
import { chooseWorkers } from "../../src/node/pool/default-workers.ts";
import {
  clusterToolsAreMissing,
  find,
  podLabels,
  podOf,
  render,
  resourcesOf,
  secure,
  user,
  validate,
} from "./cluster-files.ts";
import { parseServeFlags } from "./parse-serve-flags.ts";

describe.skipIf(clusterToolsAreMissing)("deploy/kubernetes", () => {
  const base = render("deploy/kubernetes");
  const withAll = render("deploy/kubernetes", ["queue-depth", "fetch-urls", "pod-monitor"]);

  test.each([
    ["deploy/kubernetes", base, 6],
    ["deploy/kubernetes with its components", withAll, 7],
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
    expect(() => parseServeFlags(["--worker=2"])).toThrow();
  });

  test("the memory limit holds the workers, and processors have none", () => {
    const { limits } = podOf(find(base, "Deployment")).containers[0].resources;
    expect(limits).toEqual({ memory: "3Gi", "ephemeral-storage": "1Gi" });
    const memoryBytes = Number.parseInt(limits.memory, 10) * 2 ** 30;
    expect(chooseWorkers({ cores: 64, memoryBytes }).workers).toBeGreaterThanOrEqual(2);
  });

  test("a container may do nothing but its work", () => {
    const pod = podOf(find(base, "Deployment"));
    expect(pod).toMatchObject({ automountServiceAccountToken: false });
    expect(pod.securityContext).toEqual(user);
    expect(pod.containers).toMatchObject([{ securityContext: secure }]);
  });

  test("services, policy, budget and autoscaler are about the pods of the deployment, by its port", () => {
    const { spec } = find(base, "Deployment");
    expect(spec).toMatchObject({
      selector: { matchLabels: podLabels },
      template: { metadata: { labels: podLabels } },
    });
    expect(spec).not.toHaveProperty("replicas");
    const [container] = podOf(find(base, "Deployment")).containers;
    expect(container.ports).toEqual([{ name: "grpc", containerPort: 52001 }]);
    expect(container.env).toEqual([{ name: "OP_ENDPOINT", value: "portico:52001" }]);
    expect(resourcesOf(base).filter(({ kind }) => kind === "Service")).toMatchObject([
      {
        metadata: { name: "portico" },
        spec: { clusterIP: "None", selector: podLabels, ports: [{ port: 52001, targetPort: "grpc" }] },
      },
      {
        metadata: { name: "portico-http" },
        spec: { selector: podLabels, ports: [{ port: 80, targetPort: "grpc" }] },
      },
    ]);
    expect(find(base, "PodDisruptionBudget").spec.selector).toEqual({ matchLabels: podLabels });
    expect(find(base, "HorizontalPodAutoscaler").spec).toMatchObject({
      scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "portico" },
      metrics: [{ resource: { name: "cpu" } }],
    });
    expect(find(base, "NetworkPolicy").spec).toEqual({
      podSelector: { matchLabels: podLabels },
      policyTypes: ["Ingress", "Egress"],
      ingress: [{ ports: [{ protocol: "TCP", port: container.ports[0]!.containerPort }] }],
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
});
