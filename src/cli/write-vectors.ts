import { EmbedError } from "../errors.ts";
import { openOutputFile } from "./output-file.ts";

/** What became of one source; `vector` is (dimension) float32. */
export interface EmbedRow {
  readonly source: string;
  readonly vector?: Float32Array;
  readonly error?: EmbedError;
}

/** Takes the rows in the order of the sources. */
export interface VectorWriter {
  write(row: EmbedRow): Promise<void>;
  /** Called after the last row: only now the files come to their names. */
  close(): Promise<void>;
  /** Removes what was written unless it was closed. */
  discard(): void;
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
  if (path === undefined) return writeToStdout;
  if (path.endsWith(".npy")) return openNpyWriter(path, count, dimension);
  if (path.endsWith(".jsonl")) return openJsonlWriter(path);
  throw new EmbedError("CONFIG_INVALID", `--out: expected a path that ends in .npy or .jsonl, got "${path}"`);
}

const writeToStdout: VectorWriter = {
  write: async (row) => void process.stdout.write(jsonLine(row)),
  close: async () => undefined,
  discard: () => undefined,
};

async function openJsonlWriter(path: string): Promise<VectorWriter> {
  const file = await openOutputFile(path);
  return { write: (row) => file.append(jsonLine(row)), close: file.commit, discard: file.discard };
}

/** One line per source: {"source", "vector"} or {"source", "error": {"reason", "message"}}. */
function jsonLine({ source, vector, error }: EmbedRow): string {
  const entry = error
    ? { source, error: { reason: error.reason, message: error.message } }
    : { source, ...(vector && { vector: Array.from(vector) }) };
  return `${JSON.stringify(entry)}\n`;
}

/**
 * NumPy format 1.0 (numpy/lib/format.py): (count, dimension) little-endian float32. Row i belongs to source
 * i; the row of a failed source is NaN, so that no other row shifts. `<path>.jsonl` names the sources.
 */
async function openNpyWriter(path: string, count: number, dimension: number): Promise<VectorWriter> {
  const file = await openOutputFile(path);
  const names = await openOutputFile(`${path}.jsonl`).catch((error: unknown) => {
    file.discard();
    throw error;
  });
  await file.append(npyHeader(count, dimension));
  return {
    async write({ source, vector, error }) {
      const row = Buffer.alloc(dimension * 4);
      for (let index = 0; index < dimension; index++)
        row.writeFloatLE(vector?.[index] ?? Number.NaN, index * 4);
      await file.append(row);
      await names.append(jsonLine({ source, ...(error && { error }) }));
    },
    async close() {
      await names.commit();
      await file.commit();
    },
    discard() {
      file.discard();
      names.discard();
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
