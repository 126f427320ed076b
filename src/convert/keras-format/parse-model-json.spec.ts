import { expect, test } from "vitest";
import { failureOf } from "../../../tools/keras-layers.ts";
import { maxJsonBytes, parseModelJson } from "./parse-model-json.ts";

const encode = (text: string) => new TextEncoder().encode(text);

test("JSON is what it says, whatever its texts hold", () => {
  const value = { a: ['[[{{,,,\\"', "\\", 1], b: { c: "]}" } };
  expect(parseModelJson("x", encode(JSON.stringify(value)))).toEqual(value);
});

test.each<[string, Uint8Array, string]>([
  ["no JSON", encode("[1,"), "x is no JSON: Unexpected end of JSON input"],
  [
    "no UTF-8",
    Uint8Array.of(0x22, 0xff, 0x22),
    "x is no JSON: The encoded data was not valid for encoding utf-8",
  ],
  ["nested as deep as it goes", encode("[".repeat(101)), "x: is nested more than 100 deep"],
  ["nothing but values", encode(`[${"0,".repeat(1_000_000)}0]`), "x: expected at most 1000000 values"],
  ["nothing but lists", encode(`[${"[],".repeat(600_000)}0]`), "x: expected at most 1000000 values"],
  [
    "larger than any model's",
    new Uint8Array(maxJsonBytes + 1),
    "x: expected at most 16777216 bytes, got 16777217",
  ],
])("%s is refused", (_what, bytes, message) => {
  expect(failureOf(() => parseModelJson("x", bytes))).toEqual({ reason: "CONVERT_INVALID", message });
});
