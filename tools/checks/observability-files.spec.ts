import { readFile } from "node:fs/promises";
import { Code } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import { reasonMeanings } from "../../src/errors.ts";
import { createMetrics } from "../../src/node/observe/metrics.ts";
import { packageFile } from "../../src/node/package-file.ts";

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly expr: string; readonly refId: string }[];
}

const dashboardFile = "deploy/grafana/portico.json";
const rulesFile = "deploy/prometheus/rules.yml";
const read = (path: string) => readFile(packageFile(path), "utf8");

/** Every series that `/metrics` has, from the metrics' own code. */
async function knownSeries(): Promise<ReadonlySet<string>> {
  const state = { queuedItems: 0, queuedBytes: 0, oldestMs: 0, workers: 1, helps: 3, isReady: true };
  const series = {
    name: "m",
    vectorSpace: () => "v",
    engine: () => "e",
    pool: () => state,
    memoryBytes: () => 1,
  };
  const metrics = createMetrics({ version: "1", isReady: () => true, models: [series] });
  const types = [...(await metrics.text()).matchAll(/^# TYPE (\S+) (\S+)$/gm)];
  return new Set(
    types.flatMap(([, name = "", type]) =>
      type === "histogram" ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
    ),
  );
}

/** Names of series in a PromQL expression: the words that are neither function, keyword, label nor text. */
function seriesOf(expression: string): string[] {
  const bare = expression
    .replace(/"(?:[^"\\]|\\.)*"/g, "")
    .replace(/\{[^}]*\}/g, "")
    .replace(/\[[^\]]*\]/g, "")
    .replace(/\b(by|without|on|ignoring)\s*\([^)]*\)/g, "");
  return [...bare.matchAll(/[a-zA-Z_:][a-zA-Z0-9_:]*(?!\s*\(|[a-zA-Z0-9_:])/g)]
    .map(([name]) => name)
    .filter((name) => !["by", "and", "or", "unless"].includes(name));
}

async function dashboard(): Promise<{ readonly schemaVersion: number; readonly panels: readonly Panel[] }> {
  return JSON.parse(await read(dashboardFile));
}

async function dashboardSeries(): Promise<string[]> {
  const { panels } = await dashboard();
  return panels.flatMap(({ targets = [] }) => targets.flatMap(({ expr }) => seriesOf(expr)));
}

test.each([
  ['sum by (code) (rate(a_total{code="b"}[5m])) / sum(c_total)', ["a_total", "c_total"]],
  ['histogram_quantile(0.5, sum by (le, m) (rate(x_bucket{i=~"$i"}[$__rate_interval])))', ["x_bucket"]],
  ['min(a) > 1 and b{c="}"} == 0', ["a", "b"]],
])("series of %s", (expression, names) => {
  expect(seriesOf(expression)).toEqual(names);
});

describe("the dashboard", () => {
  test("asks only for series that there are", async () => {
    const known = await knownSeries();
    const asked = await dashboardSeries();
    expect(asked.length).toBeGreaterThan(20);
    expect(asked.filter((name) => !known.has(name))).toEqual([]);
  });

  test("shows every metric of Portico's own", async () => {
    const asked = new Set((await dashboardSeries()).map((name) => name.replace(/_(bucket|sum|count)$/, "")));
    const own = [...(await knownSeries())]
      .filter((name) => name.startsWith("portico_"))
      .map((name) => name.replace(/_(bucket|sum|count)$/, ""));
    expect(own.filter((name) => !asked.has(name))).toEqual([]);
    expect(own.length).toBeGreaterThan(10);
  });

  test("is laid out as Grafana wants it", async () => {
    const { schemaVersion, panels } = await dashboard();
    expect(schemaVersion).toBeGreaterThanOrEqual(38);
    const ids = panels.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { type, title, targets = [], gridPos } of panels) {
      expect([title, ["row", "stat", "timeseries"].includes(type)]).toEqual([title, true]);
      expect([title, targets.length > 0]).toEqual([title, type !== "row"]);
      expect([title, gridPos.x + gridPos.w <= 24]).toEqual([title, true]);
      expect(new Set(targets.map(({ refId }) => refId)).size).toBe(targets.length);
    }
    const overlaps = panels.flatMap((one, index) =>
      panels
        .slice(index + 1)
        .filter((other) => overlap(one, other))
        .map((other) => [one.title, other.title]),
    );
    expect(overlaps).toEqual([]);
  });
});

function overlap({ gridPos: a }: Panel, { gridPos: b }: Panel): boolean {
  return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
}

test("the alerts ask only for series that there are", async () => {
  const text = await read(rulesFile);
  const expressions = [...text.matchAll(/^ +expr: (?:\|\n((?: {10,}.*\n)+)|(.*)\n)/gm)].map(
    ([, block, line]) => block ?? line ?? "",
  );
  expect(expressions).toHaveLength([...text.matchAll(/- alert: /g)].length);
  // Prometheus makes the one series itself, of each target.
  const known = new Set([...(await knownSeries()), "up"]);
  const asked = expressions.flatMap(seriesOf);
  expect(asked.length).toBeGreaterThanOrEqual(expressions.length);
  expect(asked.filter((name) => !known.has(name))).toEqual([]);
});

/** The values that an alert asks a label for, which regular expressions list with `|`. */
async function valuesOf(label: string): Promise<string[]> {
  const text = await read(rulesFile);
  const asked = [...text.matchAll(new RegExp(`\\b${label}(=~|=|!~|!=)"([^"]*)"`, "g"))];
  return asked.flatMap(([, , values = ""]) => values.split("|"));
}

test("the alerts ask only for codes, reasons and methods that there are, and for the documented job", async () => {
  const codes = await valuesOf("code");
  expect(codes.filter((code) => !(code in Code))).toEqual([]);
  // Of junk, and of nothing that fails inside.
  expect(codes).not.toContain("Unknown");
  expect(codes).toEqual(expect.arrayContaining(["Internal", "Unavailable", "ResourceExhausted"]));
  const reasons = await valuesOf("reason");
  expect(reasons.filter((reason) => reason !== "OUTGROWN" && !(reason in reasonMeanings))).toEqual([]);
  expect(reasons).toEqual(expect.arrayContaining(["ENGINE_FAILED", "INTERNAL", "OVERLOADED"]));
  for (const method of await valuesOf("method"))
    expect("grpc.health.v1.Health/Watch").toMatch(new RegExp(`^(${method})$`));
  const jobs = await valuesOf("job");
  expect(new Set(jobs)).toEqual(new Set(["portico"]));
  expect(await read("docs/observability.md")).toContain("job_name: portico\n");
});

test("docs/observability.md names every metric of Portico's own", async () => {
  const page = await read("docs/observability.md");
  const names = [...(await knownSeries())]
    .filter((name) => name.startsWith("portico_"))
    .map((name) => name.replace(/_(bucket|sum|count)$/, ""));
  expect([...new Set(names)].filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
});
