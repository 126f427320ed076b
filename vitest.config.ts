import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["src/**/*.spec.ts", "tools/**/*.spec.ts", "conformance/**/*.spec.ts", "bench/**/*.spec.ts"],
    // Real sockets, real workers and a real network run behind these tests; two cores serve them.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    maxWorkers: 2,
    // src/node/pool/keep-wasm-code.ts has the reason; specs start threads of their own, too.
    execArgv: ["--no-wasm-code-gc"],
  },
});
