import { expect, test } from "vitest";
import { commandName } from "./command-name.ts";

test.each([
  ["on the PATH", undefined, "portico"],
  ["by npm start", "start", "npm run portico --"],
  ["by npm run portico", "portico", "npm run portico --"],
  ["by npx", "npx", "npx portico"],
])("started %s", (_how, npm_lifecycle_event, name) => {
  expect(commandName({ npm_lifecycle_event })).toBe(name);
});
