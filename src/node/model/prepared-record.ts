import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { canonicalJson } from "../../convert/fingerprint.ts";
import type { ModelFacts } from "../../embed/model-manifest.ts";
import { EmbedError } from "../../errors.ts";
import type { ConvertibleModel } from "./model-catalog.ts";
import { unreadableFile } from "./unreadable-file.ts";

/**
 * What preparing found out of a model whose manifest cannot say it, since its weights were not seen before. It lies in
 * the cache and is checked from then on: the same weights give it again, on any machine.
 */
export interface PreparedRecord extends ModelFacts {
  readonly weights: {
    /** Where they came from: a URL, or the path of a file. */
    readonly from: string;
    readonly bytes: number;
    /** Hexadecimal. The manifest's MD5 finds accidents; this finds any other file. */
    readonly sha256: string;
  };
}

const format = "portico-prepared/1";

/** The record's file; what is converted otherwise has one of its own. */
export async function recordFile(cacheDir: string, model: ConvertibleModel): Promise<string> {
  const { outputLayer, preprocess, pooling, normalisation, precision, filesFolder } = model;
  const named = model.sources.flatMap((source) =>
    source.kind === "url" ? [source.topology, source.layerNames ?? ""] : [],
  );
  const names = [...new Set(named)].filter((name) => name !== "").sort();
  const files = await Promise.all(names.map((name) => readFile(join(filesFolder ?? "", name), "utf8")));
  const settings = { outputLayer, preprocess, pooling, normalisation, precision, files };
  const key = createHash("sha256").update(canonicalJson(settings)).digest("hex").slice(0, 16);
  return join(cacheDir, model.name, `prepared-${key}.json`);
}

/**
 * @returns undefined if there is none
 * @throws EmbedError `MODEL_CORRUPT` if it is none of this version, `MODEL_UNREACHABLE` if it cannot be read
 */
export async function readRecord(file: string): Promise<PreparedRecord | undefined> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw unreadableFile(file, error);
  }
  try {
    const { prepared, ...record } = JSON.parse(text) as PreparedRecord & { readonly prepared?: unknown };
    const { onnx, fingerprint, weights } = record;
    const hashes = [onnx.sha256, fingerprint.replace(/^sha256:/, ""), weights.sha256];
    if (
      prepared === format &&
      hashes.every((hash) => /^[0-9a-f]{64}$/.test(hash)) &&
      [onnx.bytes, weights.bytes].every((bytes) => Number.isSafeInteger(bytes) && bytes > 0)
    ) {
      return record;
    }
  } catch {
    // Said below.
  }
  throw new EmbedError("MODEL_CORRUPT", `${file} is no record of a prepared model; delete it`);
}

/** The record as text, to be written whole. */
export function recordText(record: PreparedRecord): string {
  return `${JSON.stringify({ prepared: format, ...record }, undefined, 2)}\n`;
}

/**
 * Compares what was found out before with what was found now. The converted file may be another: a newer Portico may
 * convert otherwise without changing a vector.
 * @throws EmbedError `MODEL_CORRUPT` with both values
 */
export function checkRecord(file: string, label: string, before: PreparedRecord, now: PreparedRecord): void {
  const pairs = [
    ["weights with sha256", before.weights.sha256, now.weights.sha256],
    ["fingerprint", before.fingerprint, now.fingerprint],
  ] as const;
  for (const [what, expected, got] of pairs) {
    if (expected === got) continue;
    throw new EmbedError(
      "MODEL_CORRUPT",
      `model ${label}: expected ${what} ${expected} as when it was first prepared, got ${got} from ${now.weights.from}; if the first was wrong, delete ${file}`,
    );
  }
}
