import { Command } from "commander";
import { expect, test } from "vitest";
import { addConnectionOptions, type ConnectionOptions, toConnectionLimits } from "./connection-options.ts";

const parse = (...args: readonly string[]) =>
  addConnectionOptions(new Command().exitOverride().configureOutput({ writeErr: () => undefined }))
    .parse(["node", "portico", ...args])
    .opts<ConnectionOptions>();

test("only what is asked for differs from the server's own limits", () => {
  expect(toConnectionLimits(parse())).toEqual({ maxConnections: 1000 });
  const all = [
    ...["--max-connections", "7", "--max-connections-per-client", "3"],
    ...["--max-connection-age-ms", "60000"],
  ];
  expect(toConnectionLimits(parse(...all))).toEqual({
    maxConnections: 7,
    maxConnectionsPerClient: 3,
    connectionMaxAgeMs: 60_000,
  });
});

test.each(["0", "999", "2147483648", "60s"])("--max-connection-age-ms %s", (text) => {
  expect(() => parse("--max-connection-age-ms", text)).toThrow(
    `expected an integer from 1000 to 2147483647, got "${text}"`,
  );
});
