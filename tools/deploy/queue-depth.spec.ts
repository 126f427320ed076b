import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { startTiny } from "../load/start-tiny.ts";
import { clusterToolsAreMissing, find, podLabels, render } from "./cluster-files.ts";
import { yamlToJson } from "./yaml-to-json.ts";

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

describe.skipIf(clusterToolsAreMissing)("deploy/kubernetes/components/queue-depth", () => {
  const base = render("deploy/kubernetes");
  const withAll = render("deploy/kubernetes", ["queue-depth", "pod-monitor"]);

  test("what waits is read from each pod once, and served to the autoscaler", async () => {
    const endpoint = { port: "grpc", path: "/metrics" };
    expect(find(withAll, "PodMonitor").spec).toMatchObject({
      jobLabel: "app.kubernetes.io/name",
      selector: { matchLabels: podLabels },
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
});
