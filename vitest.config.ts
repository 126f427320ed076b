import { defineConfig } from "vitest/config";
import { LongestFirst } from "./tools/longest-first.ts";

/** Pure functions: a process of its own for each file would take longer than most of their tests. */
const core = ["image", "preprocess", "engine", "embed", "service", "convert"].map(
  (folder) => `src/${folder}/**/*.spec.ts`,
);

export default defineConfig({
  test: {
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
    projects: [
      { extends: true, test: { name: "core", include: core, isolate: false } },
      {
        extends: true,
        test: {
          name: "rest",
          include: [
            "src/**/*.spec.ts",
            "tools/**/*.spec.ts",
            "conformance/**/*.spec.ts",
            "bench/**/*.spec.ts",
          ],
          exclude: [...core, "**/node_modules/**"],
        },
      },
    ],
    // Real sockets, real workers and a real network run behind these tests; two cores serve them.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // A second, the default, is short where another process or thread is waited for.
    expect: { poll: { timeout: 30_000 } },
    // src/node/pool/keep-wasm-code.ts has the reason; specs start threads of their own, too.
    execArgv: ["--no-wasm-code-gc"],
  },
});
