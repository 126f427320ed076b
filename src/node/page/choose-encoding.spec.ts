import { expect, test } from "vitest";
import { chooseEncoding } from "./choose-encoding.ts";

test.each([
  [undefined, undefined],
  ["", undefined],
  ["br", "br"],
  ["gzip", "gzip"],
  ["gzip, deflate", "gzip"],
  ["gzip, deflate, br, zstd", "br"],
  ["GZIP;q=1.0, BR ; Q=0.5", "br"],
  ["br;q=0, gzip", "gzip"],
  ["br;q=0, gzip;q=0", undefined],
  ["*", "br"],
  ["*;q=0", undefined],
  ["br;q=0, *", "gzip"],
  ["identity", undefined],
  ["br;q=x", undefined],
  ["brotli", undefined],
])("of br and gzip, accept-encoding %j takes %j", (header, expected) => {
  expect(chooseEncoding(header, ["br", "gzip"])).toBe(expected);
});

test("only what is there is chosen", () => {
  expect(chooseEncoding("br, gzip", ["gzip"])).toBe("gzip");
  expect(chooseEncoding("br, gzip", [])).toBeUndefined();
});
