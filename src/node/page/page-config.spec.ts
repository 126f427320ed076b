import { expect, test } from "vitest";
import { withPageConfig } from "./page-config.ts";

const html = `<meta charset="utf-8">\n    <meta name="portico" content='{"server":"."}'>`;

test("the configuration takes the place of the built one, whatever it holds", () => {
  const config = {
    server: "https://a.example/?a='&b=$&",
    models: [{ name: "<x>", variant: "int8" as const }],
    needsToken: true,
  };
  expect(withPageConfig(html, config)).toBe(
    `<meta charset="utf-8">\n    <meta name="portico" content='{"server":"https://a.example/?a=&#39;&amp;b=$&amp;","models":[{"name":"&lt;x>","variant":"int8"}],"needsToken":true}'>`,
  );
});

test("a policy stands before everything that it is to hold for", () => {
  expect(withPageConfig(html, { models: [], needsToken: false }, "default-src 'none'")).toBe(
    `<meta charset="utf-8">
    <meta http-equiv="content-security-policy" content="default-src 'none'">
    <meta name="portico" content='{"models":[],"needsToken":false}'>`,
  );
});

test("a page without a place for it is refused", () => {
  expect(() => withPageConfig("<html>", { models: [], needsToken: false })).toThrow(
    `expected index.html of the page to hold <meta name="portico" content='[^']*'>`,
  );
});
