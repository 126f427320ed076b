import { open } from "node:fs/promises";
import { EmbedError } from "../errors.ts";

/** What became of one source; `vector` is (dimension) float32. */
export interface EmbedRow {
  readonly source: string;
  readonly vector?: Float32Array;
  readonly error?: EmbedError;
}

/** Takes the rows in the order of the sources. */
export interface VectorWriter {
  write(row: EmbedRow): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens the writer for a path: `.npy` or `.jsonl`, or JSON lines on stdout without a path.
 * @throws EmbedError `CONFIG_INVALID` for another ending or a path that cannot be written
 */
export async function openVectorWriter(
  path: string | undefined,
  count: number,
  dimension: number,
): Promise<VectorWriter> {
  if (path === undefined)
    return jsonlWriter(
      (line) => void process.stdout.write(line),
      async () => undefined,
    );
  if (path.endsWith(".npy")) return openNpyWriter(path, count, dimension);
  if (path.endsWith(".jsonl")) {
    const file = await create(path);
    return jsonlWriter(
      async (line) => void (await file.write(line)),
      () => file.close(),
    );
  }
  throw new EmbedError("CONFIG_INVALID", `--out: expected a path that ends in .npy or .jsonl, got "${path}"`);
}

/** One line per source: {"source", "vector"} or {"source", "error": {"reason", "message"}}. */
function jsonlWriter(
  write: (line: string) => void | Promise<void>,
  close: () => Promise<void>,
): VectorWriter {
  return {
    async write({ source, vector, error }) {
      const entry = error
        ? { source, error: { reason: error.reason, message: error.message } }
        : { source, vector: Array.from(vector ?? []) };
      await write(`${JSON.stringify(entry)}\n`);
    },
    close,
  };
}

/**
 * NumPy format 1.0 (numpy/lib/format.py): (count, dimension) little-endian float32. Row i belongs to source
 * i; the row of a failed source is NaN, so that no other row shifts. `<path>.jsonl` names the sources.
 */
async function openNpyWriter(path: string, count: number, dimension: number): Promise<VectorWriter> {
  const file = await create(path);
  const names = await create(`${path}.jsonl`);
  await file.write(npyHeader(count, dimension));
  return {
    async write({ source, vector, error }) {
      const row = Buffer.alloc(dimension * 4);
      for (let index = 0; index < dimension; index++)
        row.writeFloatLE(vector?.[index] ?? Number.NaN, index * 4);
      await file.write(row);
      const entry = error ? { source, error: { reason: error.reason, message: error.message } } : { source };
      await names.write(`${JSON.stringify(entry)}\n`);
    },
    async close() {
      await file.close();
      await names.close();
    },
  };
}

function npyHeader(count: number, dimension: number): Buffer {
  const text = `{'descr': '<f4', 'fortran_order': False, 'shape': (${count}, ${dimension}), }`;
  // Magic, version and length take 10 bytes; the whole is padded to a multiple of 64 and ends in a newline.
  const padded = `${text.padEnd(Math.ceil((text.length + 11) / 64) * 64 - 11)}\n`;
  const head = Buffer.from([
    0x93,
    0x4e,
    0x55,
    0x4d,
    0x50,
    0x59,
    1,
    0,
    padded.length & 0xff,
    padded.length >> 8,
  ]);
  return Buffer.concat([head, Buffer.from(padded, "latin1")]);
}

async function create(path: string) {
  try {
    return await open(path, "w");
  } catch (cause) {
    throw new EmbedError("CONFIG_INVALID", `--out: cannot write ${path}: ${(cause as Error).message}`, {
      cause,
    });
  }
}
