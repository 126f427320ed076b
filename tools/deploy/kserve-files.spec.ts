import { describe, expect, test } from "vitest";
import {
  clusterToolsAreMissing,
  find,
  type PodSpec,
  podOf,
  render,
  resourcesOf,
  secure,
  user,
  validate,
} from "./cluster-files.ts";
import { parseServeFlags } from "./parse-serve-flags.ts";

describe.skipIf(clusterToolsAreMissing)("deploy/kserve", () => {
  const kserve = render("deploy/kserve");
  const container = () => (find(kserve, "ServingRuntime").spec as unknown as PodSpec).containers[0];

  test("is what the schemas want", () => {
    expect(validate(kserve)).toBe("");
    expect(resourcesOf(kserve)).toHaveLength(2);
  });

  test.each([
    ["runtime: portico", "runtimes: portico", "additional properties 'runtimes' not allowed"],
    ["scaleTarget: 70", "scaleTarget: most", "got string, want integer"],
    ["supportedModelFormats:", "modelFormats:", "additional properties 'modelFormats' not allowed"],
  ])("the schemas notice a mistake (%#)", (right, wrong, problem) => {
    expect(kserve).toContain(right);
    expect(validate(kserve.replace(right, wrong))).toContain(problem);
  });

  test("the flags are those of portico serve, and the pod is given the time that they take", () => {
    const flags = parseServeFlags(container().args);
    expect(flags).toMatchObject({
      workers: 2,
      urls: "off",
      listen: "*:52001",
      shutdownDelayMs: 5000,
      maxConnectionAgeMs: 60_000,
    });
    const predictor = find(kserve, "InferenceService").spec.predictor as PodSpec;
    expect(predictor.terminationGracePeriodSeconds * 1000).toBeGreaterThan(
      flags.shutdownDelayMs + flags.graceMs,
    );
  });

  test("a container has the name and the port that KServe looks for, the memory of two workers, and no rights", () => {
    const { resources } = podOf(find(render("deploy/kubernetes"), "Deployment")).containers[0];
    expect(container()).toMatchObject({
      name: "kserve-container",
      ports: [{ name: "h2c", containerPort: 52001 }],
      env: [{ name: "OP_ENDPOINT", value: "portico-predictor:80" }],
      resources,
    });
    expect(container().securityContext).toEqual({ ...user, ...secure });
  });

  test("Prometheus finds the pods by what the runtime says, which KServe does not write over", () => {
    expect(find(kserve, "ServingRuntime").spec.annotations).toEqual({
      "prometheus.io/scrape": "true",
      "prometheus.io/port": String(container().ports[0]!.containerPort),
      "prometheus.io/path": "/metrics",
    });
    expect(find(kserve, "InferenceService").metadata).toMatchObject({
      annotations: { "serving.kserve.io/enable-prometheus-scraping": "false" },
    });
  });

  test("an InferenceService finds its runtime", () => {
    const runtime = find(kserve, "ServingRuntime");
    expect(find(kserve, "InferenceService").spec.predictor).toMatchObject({
      model: { runtime: runtime.metadata.name, modelFormat: { name: "portico" } },
    });
    expect(runtime.spec.supportedModelFormats).toMatchObject([{ name: "portico" }]);
  });
});
