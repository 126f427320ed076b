import type { EnginesReport } from "../engines.ts";
import { markdownTable, milliseconds, times } from "./markdown.ts";
import { skippedLines } from "./skipped-lines.ts";

export function enginesSection({ rounds, engines, skipped }: EnginesReport): string {
  const reference = engines[0]!;
  const rows = engines.map(({ name, loadMs, engine, pipeline }) => [
    `\`${name}\``,
    milliseconds(loadMs),
    milliseconds(engine.leastMs),
    milliseconds(engine.medianMs),
    `${times(reference.engine.leastMs / engine.leastMs)}, ${times(reference.engine.medianMs / engine.medianMs)}`,
    milliseconds(pipeline.leastMs),
    milliseconds(pipeline.medianMs),
    times(reference.pipeline.medianMs / pipeline.medianMs),
  ]);
  return `## Engines

\`npm run bench:engines\` runs ResNet50 on one thread, one picture at a time, the engines in turns in one process
(${rounds} rounds). The engine loop goes from tensor to features, the pipeline loop from the bytes of a photograph of
1024 pixels to its vector: decoding, resizing and normalising are in it.

${markdownTable(
  [
    "engine",
    { figures: "load" },
    { figures: "engine, least" },
    { figures: "median" },
    { figures: `times \`${reference.name}\` (least, median)` },
    { figures: "pipeline, least" },
    { figures: "median" },
    { figures: `times \`${reference.name}\` (median)` },
  ],
  rows,
)}
${skippedLines(skipped)}`;
}
