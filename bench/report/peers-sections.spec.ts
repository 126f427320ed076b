import { describe, expect, test } from "vitest";
import type { EnginePeerTimes } from "../peers/engine-peers.ts";
import type { OperatorFigures } from "../peers/operator-peers.ts";
import { enginePeersSection, operatorsSection } from "./peers-sections.ts";

const peer = (name: string, kind: EnginePeerTimes["kind"], leastMs: number): EnginePeerTimes => ({
  ...{ name, kind, leastMs, version: "1.0", loadMs: 1, maxAbsError: 3.2e-7, runs: 4, medianMs: leastMs + 5 },
});
const section = (
  peers: readonly EnginePeerTimes[],
  skipped: readonly { name: string; needs: string }[] = [],
) => enginePeersSection([{ threads: 1, rounds: 2, runs: 2, peers, skipped }]);

describe("engines of others", () => {
  const simd = peer("Portico simd", "wasm", 100);
  test.each([
    {
      what: "one in machine code is faster",
      peers: [simd, peer("OpenVINO", "native", 50)],
      line: "Faster than Portico's engine: OpenVINO (machine code) needs 50.0 ms where `simd` needs 100 ms, 2.00 x as fast.",
    },
    {
      what: "all are slower",
      peers: [simd, peer("onnxruntime-web", "wasm", 260)],
      line: "None is faster than Portico's engine here.",
    },
    {
      what: "one in the page is compared with the page's own",
      peers: [simd, peer("Portico simd", "page", 120), peer("LiteRT.js", "page", 110)],
      line: "Faster than Portico's engine: LiteRT.js (WebAssembly, Chromium) needs 110 ms where `simd` needs 120 ms, 1.09 x as fast.",
    },
    {
      what: "one in a page without ours is compared with that of Node",
      peers: [simd, peer("LiteRT.js", "page", 150)],
      line: "| LiteRT.js | WebAssembly, Chromium | 1.0 | 150 ms | 155 ms | 1.50 x | 3.2e-7 |",
    },
    {
      what: "ours was skipped",
      peers: [peer("OpenVINO", "native", 50)],
      line: "Portico's engine was not measured here.",
    },
  ])("$what", ({ peers, line }) => {
    expect(section(peers)).toContain(`\n${line}\n`);
  });

  test("what was skipped is told", () => {
    expect(section([simd], [{ name: "LiteRT.js, page", needs: "chromium" }])).toContain(
      "\n- `LiteRT.js, page` skipped: needs chromium.\n",
    );
  });
});

test("operators are compared with the original", () => {
  const operator = (
    name: string,
    perSecond: number,
    memoryBytes: number,
    median: number,
  ): OperatorFigures => ({
    name,
    command: name,
    start: { runs: 1, leastMs: median, medianMs: median },
    memoryBytes,
    byCallers: [1, 4].map((callers) => ({
      ...{ callers, perSecond: perSecond * (callers === 4 ? 1.5 : 1), calls: 9 },
      ...{ p50Ms: 1, p90Ms: 2, p95Ms: 3, p99Ms: 4, maxMs: 5 },
    })),
  });
  const operators = [operator("Python original", 8, 800e6, 4000), operator("Ours", 16, 320e6, 1000)];
  const report = { workers: 2, starts: 1, rounds: 1, seconds: 1, operators, skipped: [] };
  const text = operatorsSection(report);
  expect(text).toContain("| Ours | 16.0 | 1.00 ms, 4.00 ms | 24.0 | 1.00 ms, 4.00 ms | 320 MB | 1.00 s |");
  expect(text).toContain(
    '- Ours: 2.00 x at one caller, 2.00 x at 4 callers; 0.40 x of the memory, 0.25 x of the start of "Python original".',
  );
});
