import { expect, test } from "vitest";
import { Code } from "../gen/portico/conformance/v1/suite_pb.ts";
import {
  codeFromHttpStatus,
  codeFromNumber,
  codeFromString,
  codeToHttpStatus,
  codeToString,
} from "./rpc-code.ts";

test("strings and back", () => {
  for (const code of Object.values(Code).filter((value) => value !== 0)) {
    expect(codeFromString(codeToString(code))).toBe(code);
    expect(codeFromNumber(code)).toBe(code);
  }
  expect(codeToString(Code.INVALID_ARGUMENT)).toBe("invalid_argument");
});

test.each(["unspecified", "INVALID_ARGUMENT", "canceled?", ""])("no code: %s", (text) => {
  expect(codeFromString(text)).toBeUndefined();
});

test("numbers that are no error", () => {
  expect([0, 17, -1, 2.5, Number.NaN].map(codeFromNumber)).toEqual(Array(5).fill(undefined));
});

test.each([
  [400, Code.INTERNAL],
  [401, Code.UNAUTHENTICATED],
  [403, Code.PERMISSION_DENIED],
  [404, Code.UNIMPLEMENTED],
  [429, Code.UNAVAILABLE],
  [503, Code.UNAVAILABLE],
  [418, Code.UNKNOWN],
])("HTTP %i without a code", (status, code) => {
  expect(codeFromHttpStatus(status)).toBe(code);
});

test.each([
  [Code.INVALID_ARGUMENT, 400],
  [Code.UNIMPLEMENTED, 501],
  [Code.RESOURCE_EXHAUSTED, 429],
  [Code.INTERNAL, 500],
  [Code.DATA_LOSS, 500],
])("Connect's HTTP status of %i is %i", (code, status) => {
  expect(codeToHttpStatus(code)).toBe(status);
});
