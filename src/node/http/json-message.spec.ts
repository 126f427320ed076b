import { describe, expect, test } from "vitest";
import { checkJsonMessage } from "./json-message.ts";

const limits = { messageMaxElements: 10, messageMaxDepth: 4 };
const check = (text: string) => checkJsonMessage(new TextEncoder().encode(text), limits);
const long = "A".repeat(200);

describe("passes", () => {
  test.each([
    ["nothing", ""],
    ["an empty object", "{}"],
    ["ten elements", '{"datas":["","","","","","","","",""]}'],
    ["four levels", '{"a":[{"b":[]}]}'],
    ["levels beside each other", "[[[]],[[]],[[]]]"],
    ["brackets in a string", `{"datas":["${"[{,".repeat(20)}"]}`],
    ["brackets behind an escaped quote", `["\\"[[[[[[,,,,,,,,,,,"]`],
    ["brackets behind an escaped quote of a long string", `["${long}\\"[[[[[[,,,,,,,,,,"]`],
    ["brackets behind two escaped quotes of a long string", `["${long}\\"${long}\\"[[[[[[,,,,,,,,,,"]`],
    ["brackets behind a backslash and an escaped quote", `["${long}\\\\\\"[[[[[[,,,,,,,,,,"]`],
    ["a string that does not end", `["${long}[[[[[[,,,,,,,,,,,`],
    ["a short string that does not end", '["[[[[[[,,,,,,,,,,,\\'],
    ["letters of more bytes", '["ā峛🎛","[[[[[["]'],
    ["what is no JSON", "}}]] x : 1"],
  ])("%s", (_, text) => {
    expect(() => check(text)).not.toThrow();
  });

  // The escape may lie on either side of the place where the search begins.
  test.each(Array.from({ length: 12 }, (_, index) => 56 + index))("an escape at byte %d", (length) => {
    expect(() => check(`["${"a".repeat(length)}\\"[[[[[[[[[[[["]`)).not.toThrow();
    expect(() => check(`["${"a".repeat(length)}\\\\",[[[[[["]`)).toThrow("levels");
  });
});

describe("refuses", () => {
  const tooMany = "expected at most 10 brackets, braces and commas in one message, got at least 11";
  const tooDeep = "expected a message of at most 4 levels, got at least 5";
  test.each([
    ["empty lists", `[${"[],".repeat(9)}[]]`, tooMany],
    ["empty objects", `[${"{},".repeat(9)}{}]`, tooMany],
    ["empty strings", `{"datas":[${'"",'.repeat(9)}""]}`, tooMany],
    ["commas alone", ",".repeat(11), tooMany],
    ["elements behind a string", `["${long}","${long}\\\\"${",1".repeat(9)}]`, tooMany],
    ["lists in lists", "[[[[[", tooDeep],
    ["objects in objects", '{"a":{"a":{"a":{"a":{', tooDeep],
  ])("%s", (_, text, message) => {
    expect(() => check(text)).toThrow(expect.objectContaining({ reason: "REQUEST_TOO_LARGE", message }));
  });
});

test("sees a part of a larger buffer", () => {
  const whole = new TextEncoder().encode('[[[[[[""]]]]]]');
  expect(() => checkJsonMessage(whole.subarray(6, 8), limits)).not.toThrow();
});
