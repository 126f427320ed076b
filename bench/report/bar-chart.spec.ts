import { expect, test } from "vitest";
import { barChart } from "./bar-chart.ts";

const bars = [
  { label: "a & b", value: "200 ms", size: 200, kind: "ours" },
  { label: "<c>", value: "50 ms", size: 50, kind: "native" },
] as const;
const chart = barChart({ title: 'The "chart"', unit: "Milliseconds", bars });

test("bars are as long as their sizes, the longest fills the room", () => {
  const lengths = [...chart.matchAll(/<rect class="(\w+)" x="266" y="\d+" width="([\d.]+)" height="18"/g)];
  expect(lengths.map(([, kind, length]) => [kind, Number(length)])).toEqual([
    ["ours", 388],
    ["native", 97],
  ]);
});

test.each([
  '<text x="256" y="76" text-anchor="end">a &amp; b</text>',
  '<text x="256" y="104" text-anchor="end">&lt;c></text>',
  '<text x="662.0" y="76">200 ms</text>',
  'aria-label="The &quot;chart&quot;"',
  ">Portico</text>",
  ">others, machine code</text>",
  "@media(prefers-color-scheme:dark)",
])("the chart holds %s", (part) => {
  expect(chart).toContain(part);
});

test("the legend names only what is there", () => {
  expect(chart).not.toContain("others, WebAssembly");
});
