import type { TestResult } from "./run-tests.ts";

/** JUnit XML: one testsuite for each suite file, one testcase for each case and transport. */
export function formatJunit(results: readonly TestResult[]): string {
  const suites = Map.groupBy(results, ({ suite }) => suite);
  const parts = [...suites].map(([name, tests]) => formatSuite(name, tests));
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n${parts.join("\n")}\n</testsuites>\n`;
}

function formatSuite(name: string, tests: readonly TestResult[]): string {
  const count = (outcome: string) => tests.filter((test) => test.outcome === outcome).length;
  const head = `  <testsuite name="${escapeXml(name)}" tests="${tests.length}" failures="${count("failed")}" skipped="${count("skipped")}" time="${seconds(tests.reduce((sum, { durationMs }) => sum + durationMs, 0))}">`;
  return [head, ...tests.map(formatTest), "  </testsuite>"].join("\n");
}

function formatTest({ suite, name, transport, outcome, reason, durationMs }: TestResult): string {
  const head = `    <testcase classname="${escapeXml(`${suite}.${transport}`)}" name="${escapeXml(name)}" time="${seconds(durationMs)}"`;
  if (outcome === "passed") return `${head}/>`;
  const element = outcome === "failed" ? "failure" : "skipped";
  return `${head}><${element} message="${escapeXml(reason)}"/></testcase>`;
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(3);
}

/** XML 1.0 allows no control characters but tab and line breaks, not even escaped. */
export function escapeXml(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
  };
  return text
    .replaceAll(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, "\uFFFD")
    .replaceAll(/[&<>"]/g, (character) => entities[character]!);
}
