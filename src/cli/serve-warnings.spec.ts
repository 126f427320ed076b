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
