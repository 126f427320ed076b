import { describe, expect, test } from "vitest";
import { chooseRequestId } from "./request-id.ts";

describe("chooseRequestId", () => {
  test.each([
    "1",
    "9e21a0b1-f7dc-4193-a7f4-03fed4e3f2b6",
    "01ARZ3NDEKTSV4RRFFQ69G5FAV",
    "Zm9v+YmFy/Zg==",
    "Root=1-67891233-abcdef012345678912345678",
    "web-7:42~a_b.c@d",
    "x".repeat(128),
  ])("takes %s", (header) => {
    expect(chooseRequestId(header)).toBe(header);
  });

  test.each([
    ["none", undefined],
    ["an empty one", ""],
    ["one too long", "x".repeat(129)],
    ["a space", "a b"],
    ["a line break", 'a\n{"level":60}'],
    ["a quote", 'a"b'],
    ["a tag", "<script>"],
    ["an escape sequence", "a\u001b[31m"],
    ["more than ASCII", "é"],
    ["a path", "../../../etc/passwd"],
    ["two, as HTTP joins them", "a, b"],
    ["two headers", ["a", "b"]],
  ])("makes a new one for %s", (_, header) => {
    const id = chooseRequestId(header);
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(chooseRequestId(header)).not.toBe(id);
  });
});
