import { expect, test } from "vitest";
import { replaceAddresses } from "./start-envoy.ts";

const from = { address: "portico", port: 52001 };
const to = { address: "127.0.0.1", port: 7 };

test("an address is replaced where it is written once", () => {
  expect(replaceAddresses("a: { address: portico, port_value: 52001 }\n", [[from, to]])).toBe(
    "a: { address: 127.0.0.1, port_value: 7 }\n",
  );
});

test.each([
  ["address: portico", 0],
  ["{ address: portico, port_value: 52001 } { address: portico, port_value: 52001 }", 2],
])("%s is an error", (text, times) => {
  expect(() => replaceAddresses(text, [[from, to]])).toThrow(
    `expected { address: portico, port_value: 52001 } once in deploy/compose/envoy.yaml, got it ${times} times`,
  );
});
