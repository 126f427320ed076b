import { expect, test } from "vitest";
import { formatJson } from "./report-json.ts";
import { escapeXml, formatJunit } from "./report-junit.ts";
import { createTableFormat, formatSummary, summarise } from "./report-table.ts";
import type { TestResult } from "./run-tests.ts";
import type { Test } from "./select-tests.ts";

const base = { suite: "errors_items", transport: "grpc", durationMs: 12 };
const results: readonly TestResult[] = [
  { ...base, name: "errors/noise", outcome: "passed", reason: "", maxAbs: 3e-7 },
  { ...base, name: "errors/html-page", outcome: "failed", reason: 'expected "a"\n<got> & more' },
  { ...base, suite: "execute_urls", name: "urls/one", outcome: "skipped", reason: "no URLs", durationMs: 0 },
];
const description = {
  endpoint: "127.0.0.1:1",
  target: "portico",
  profile: "portico",
  startedAt: "2026-01-01T00:00:00Z",
};

test("the table is aligned, one line a result", () => {
  const tests = results.map(({ name, transport }) => ({
    testCase: { name },
    transport: { name: transport },
  }));
  expect(results.map(createTableFormat(tests as unknown as Test[]))).toEqual([
    "errors/noise      grpc  ok (12 ms)",
    'errors/html-page  grpc  FAIL: expected "a" <got> & more',
    "urls/one          grpc  skipped: no URLs",
  ]);
});

test("the closing line", () => {
  expect(formatSummary(summarise(results))).toBe("1 passed, 1 failed, 1 skipped");
});

test("JSON holds counts, the largest difference and every result", () => {
  expect(JSON.parse(formatJson(description, results))).toEqual({
    ...description,
    passed: 1,
    failed: 1,
    skipped: 1,
    maxAbs: 3e-7,
    results,
  });
});

test("JUnit", () => {
  expect(formatJunit(results)).toBe(`<?xml version="1.0" encoding="UTF-8"?>
<testsuites>
  <testsuite name="errors_items" tests="2" failures="1" skipped="0" time="0.024">
    <testcase classname="errors_items.grpc" name="errors/noise" time="0.012"/>
    <testcase classname="errors_items.grpc" name="errors/html-page" time="0.012"><failure message="expected &quot;a&quot;
&lt;got&gt; &amp; more"/></testcase>
  </testsuite>
  <testsuite name="execute_urls" tests="1" failures="0" skipped="1" time="0.000">
    <testcase classname="execute_urls.grpc" name="urls/one" time="0.000"><skipped message="no URLs"/></testcase>
  </testsuite>
</testsuites>
`);
});

test("characters that XML cannot hold are replaced", () => {
  expect(escapeXml("a\u0000b\u001bc\u{1F600}\uFFFE")).toBe("a\uFFFDb\uFFFDc\u{1F600}\uFFFD");
});
