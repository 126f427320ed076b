import { describe, expect, test } from "vitest";
import { checkBearer, parseTokens, tokenMinLength } from "./bearer-tokens.ts";

const first = "a".repeat(tokenMinLength);
const second = "3q2-7w_Zk9.Tn~Lr+x/Vb1Cd5Ef8Gh0JpQs==";

describe("parseTokens", () => {
  test.each([
    ["one token without a line end", first, 1],
    ["several", `${first}\n${second}\n`, 2],
    ["Windows line ends", `${first}\r\n${second}\r\n`, 2],
    ["comments, blank lines and spaces", `# who\n\n  ${first}\t\n #${second}\n`, 1],
  ])("reads %s", (_, text, count) => {
    expect(parseTokens(text)).toHaveLength(count);
  });

  const pattern =
    "expected one token made of A-Z, a-z, 0-9, -, ., _, ~, + and /, with = at its end at most (RFC 6750)";
  test.each([
    ["nothing", "", "expected at least one token, one a line, got none"],
    ["comments only", "# a\n\n", "expected at least one token, one a line, got none"],
    [
      "a short one",
      `${first}\n\n${first.slice(1)}\n`,
      `line 3: expected a token of at least 32 characters, got 31; fewer can be guessed (openssl rand -hex 32 makes a good one)`,
    ],
    ["a space in it", `${first} ${second}`, `line 1: ${pattern}`],
    ["a comment behind it", `${first} # mine`, `line 1: ${pattern}`],
    ["a letter that no header holds", `# x\n${first}é`, `line 2: ${pattern}`],
    ["a whole header", `Bearer: ${first}`, `line 1: ${pattern}`],
  ])("refuses %s", (_, text, message) => {
    expect(() => parseTokens(text)).toThrow(expect.objectContaining({ reason: "CONFIG_INVALID", message }));
  });
});

describe("checkBearer", () => {
  const hashes = parseTokens(`${first}\n${second}`);

  test.each([`Bearer ${first}`, `bearer ${second}`, `BEARER   ${first}`])("lets %s pass", (authorization) => {
    expect(checkBearer(authorization, hashes)).toBeUndefined();
  });

  const expected = 'expected the header "authorization: Bearer TOKEN" with a token of this server, got ';
  test.each([
    [undefined, "no such header"],
    [null, "no such header"],
    ["", "no such header"],
    [`Basic ${first}`, "another scheme"],
    [first, "another scheme"],
    [`Bearer${first}`, "another scheme"],
    ["Bearer ", "an unknown token"],
    [`Bearer ${first}a`, "an unknown token"],
    [`Bearer ${first.slice(1)}b`, "an unknown token"],
    [`Bearer ${first.toUpperCase()}`, "an unknown token"],
    [`Bearer ${first}, Bearer ${first}`, "an unknown token"],
    [`Bearer ${first}\n${second}`, "another scheme"],
  ])("refuses %j", (authorization, got) => {
    const refusal = checkBearer(authorization, hashes);
    expect(refusal).toMatchObject({ reason: "UNAUTHENTICATED", message: expected + got });
  });

  test("knows no token once the list is empty", () => {
    expect(checkBearer(`Bearer ${first}`, [])).toMatchObject({ message: `${expected}an unknown token` });
  });

  test("keeps no token", () => {
    expect(Buffer.concat([...hashes]).toString("latin1")).not.toContain(first.slice(0, 8));
    expect(hashes.map(({ length }) => length)).toEqual([32, 32]);
  });
});
