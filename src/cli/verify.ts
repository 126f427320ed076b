import type { Command } from "commander";
import { compareVectors } from "../embed/compare-vectors.ts";
import { EmbedError } from "../errors.ts";
import { listVectorGoldens, readVectorGolden } from "../node/vector-golden.ts";
import { addEngineOptions, type EngineOptions } from "./common-options.ts";
import { openEmbedderForCli } from "./open-embedder-for-cli.ts";

interface VerifyRow {
  readonly image: string;
  readonly maxAbsError: number;
  readonly cosine: number;
  readonly tolerance: number;
  readonly error?: EmbedError;
}

export function addVerifyCommand(program: Command): void {
  addEngineOptions(program.command("verify"))
    .description("embed the fixtures and compare each vector with the one that real Keras gives")
    .option("--only <text>", "only fixtures whose path holds this text, for example photo/")
    .option("--json", "print the rows as JSON")
    .action(verifyCommand);
}

async function verifyCommand(options: EngineOptions & { only?: string; json?: true }): Promise<void> {
  const images = (await listVectorGoldens()).filter((image) => image.includes(options.only ?? ""));
  if (images.length === 0) {
    throw new EmbedError(
      "CONFIG_INVALID",
      `--only: expected a part of a fixture's path, got "${options.only}", which none has`,
    );
  }
  const { embedder, manifest } = await openEmbedderForCli(options);
  let rows: VerifyRow[];
  try {
    await embedder.ready;
    rows = await Promise.all(
      images.map(async (image) => {
        const { bytes, vector, tolerance } = await readVectorGolden(image);
        const result = await embedder.embed(bytes);
        if (result.ok) return { image, tolerance, ...compareVectors(result.vector, vector) };
        return { image, tolerance, maxAbsError: Number.NaN, cosine: Number.NaN, error: result.error };
      }),
    );
  } finally {
    await embedder.dispose();
  }
  if (options.json) process.stdout.write(`${JSON.stringify(rows, undefined, 2)}\n`);
  else printTable(rows, `${manifest.name} on ${options.engine}`);
  const failed = rows.filter((row) => !passes(row));
  if (failed.length > 0) {
    throw new EmbedError(
      "VECTOR_DRIFT",
      `${failed.length} of ${rows.length} vectors differ from Keras's by more than their tolerance`,
    );
  }
}

function passes({ maxAbsError, tolerance }: VerifyRow): boolean {
  return maxAbsError <= tolerance;
}

function printTable(rows: readonly VerifyRow[], title: string): void {
  const width = Math.max(...rows.map(({ image }) => image.length));
  const lines = rows.map((row) => {
    const figures = row.error
      ? `${row.error.reason}: ${row.error.message}`
      : `${row.maxAbsError.toExponential(2).padStart(13)}  ${row.cosine.toFixed(9)}`;
    return `${row.image.padEnd(width)}  ${passes(row) ? "ok  " : "FAIL"}  ${figures}`;
  });
  const worst = Math.max(...rows.map(({ maxAbsError }) => maxAbsError));
  process.stdout.write(
    [
      `${title}, against real Keras`,
      `${"fixture".padEnd(width)}        max abs error  cosine`,
      ...lines,
      `${rows.filter(passes).length} passed, ${rows.filter((row) => !passes(row)).length} failed; largest error ${worst.toExponential(2)}`,
      "",
    ].join("\n"),
  );
}
