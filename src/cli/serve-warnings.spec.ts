import { expect, test } from "vitest";
import { serveWarnings } from "./serve-warnings.ts";

const noLimit = (perClient: number) =>
  `--max-connections-per-client ${perClient} limits nobody: one client may take all of --max-connections 10`;

test.each([
  [{ maxConnections: 10 }, []],
  [{ maxConnections: 10, engine: "ort-wasm", threads: 2 } as const, []],
  [
    { maxConnections: 10, threads: 2 },
    ["--threads 2 leaves out the engine simd, which has 1; --workers uses more processors"],
  ],
  [{ maxConnections: 10, maxConnectionsPerClient: 9 }, []],
  [{ maxConnections: 10, maxConnectionsPerClient: 10 }, [noLimit(10)]],
  [{ maxConnections: 10, maxConnectionsPerClient: 11 }, [noLimit(11)]],
  [
    { maxConnections: 10, allowPrivate: true },
    ["--allow-private: callers can fetch from any private address; --allow-hosts would name the hosts"],
  ],
])("%j", (options, warnings) => {
  expect(serveWarnings({ engine: "auto", threads: 1, ...options })).toEqual(warnings);
});

test.each([
  [undefined, 0],
  ["192.168.1.85:52001", 0],
  ["127.0.0.1:80", 0],
  ["[::1]:80", 0],
  ["0.0.0.0:52001", 1],
  ["0.0.0.0", 1],
  ["[::]:52001", 1],
])("OP_ENDPOINT %s: %i", (opEndpoint, count) => {
  const warnings = serveWarnings({ engine: "auto", threads: 1, maxConnections: 10 }, { opEndpoint });
  const text = (endpoint: string) =>
    `OP_ENDPOINT ${endpoint}: Identity tells callers to come to ${endpoint.replace(":52001", "")}, which is an address for listening only; it should be the one that they use`;
  expect(warnings).toEqual(count === 0 ? [] : [text(opEndpoint as string)]);
});

test.each([
  ["127.0.0.1:80", "*:52001", 1],
  ["127.0.0.1", ":52001", 1],
  ["localhost:80", "0.0.0.0:52001", 1],
  ["[::1]:80", "[::]:52001", 1],
  ["127.0.0.1:80", undefined, 0],
  ["127.0.0.1:52001", "*:52001", 0],
  ["127.0.0.1", "*:80", 0],
  // Nobody else can call.
  ["127.0.0.1:80", "127.0.0.1:52001", 0],
  // A port that is published under another number.
  ["192.168.1.85:80", "*:52001", 0],
  // With --listen it may be anything.
  ["http://127.0.0.1:80", "*:52001", 0],
  [undefined, "*:52001", 0],
])("OP_ENDPOINT %s with --listen %s: callers are told of another port: %i", (opEndpoint, listen, count) => {
  const options = { engine: "auto", threads: 1, maxConnections: 10, ...(listen && { listen }) } as const;
  const text = `OP_ENDPOINT ${opEndpoint}: Identity tells callers to come there, but --listen ${listen} is another port, and for callers of other machines too; set OP_ENDPOINT to the address that they use`;
  expect(serveWarnings(options, { opEndpoint })).toEqual(count === 0 ? [] : [text]);
});

test.each([
  [{}, {}, 0],
  [{ isFirstProcess: true }, {}, 1],
  [{ isFirstProcess: true, opEndpoint: "192.168.1.85:52001" }, {}, 0],
  [{ isFirstProcess: true }, { listen: "127.0.0.1:52001" }, 0],
])("%j with %j: only its own container can call: %i", (surroundings, options, count) => {
  const text =
    "OP_ENDPOINT is empty and there is no --listen: only programs in this container can call; set OP_ENDPOINT to the address that callers use";
  expect(serveWarnings({ engine: "auto", threads: 1, maxConnections: 10, ...options }, surroundings)).toEqual(
    count === 0 ? [] : [text],
  );
});
