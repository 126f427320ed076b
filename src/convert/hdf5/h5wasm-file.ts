import { EmbedError } from "../../errors.ts";
import { formatShape, invalidModel } from "../convert-error.ts";
import { type H5wasmMetadata, type H5wasmModule, objectType, typeClass } from "./h5wasm-module.ts";
import type { Hdf5Dataset, Hdf5File, OpenHdf5 } from "./hdf5-file.ts";
import { readTexts } from "./read-texts.ts";

/** How an HDF5 file begins (file format specification, II.A). */
const magic = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a] as const;

/** Groups and datasets below one group: the largest network of Keras's own has some 5000. */
const maxObjects = 20_000;

/** Groups within groups. Keras nests two for each model inside a model and one for each slash in a name. */
const maxDepth = 40;

/** Read at a time, so that h5wasm's memory, which never shrinks, stays small whatever a weight's size. */
const pieceBytes = 4 << 20;

/** `H5F_ACC_RDONLY` (H5Fpublic.h). */
const readOnly = 0;

/** Whether the bytes begin as an HDF5 file does. */
export function isHdf5(bytes: Uint8Array): boolean {
  return magic.every((byte, i) => bytes[i] === byte);
}

/**
 * Opens files through h5wasm, the HDF5 library as WebAssembly; its file system is its own memory, so no link leads
 * to a file of the host. A dataset must lie in one piece: then it cannot claim more than the file has. Chunks, with
 * them filters, and virtual datasets are refused; Keras writes none.
 */
export function createHdf5Opener(module: H5wasmModule): OpenHdf5 {
  module.activate_throwing_error_handler();
  let opened = 0;
  return (bytes) => {
    if (!isHdf5(bytes)) throw invalidModel(`expected an HDF5 file, got ${bytes.length} bytes that are none`);
    const name = `model-${opened++}.h5`;
    // Without a copy: the file system takes the bytes themselves.
    module.FS.createDataFile("/", name, bytes, true, false, true);
    try {
      const file = guarded("the file", () => module.open(`/${name}`, readOnly, false, -1, -1));
      return createFile(module, file, bytes.length, () => module.FS.unlink(`/${name}`));
    } catch (error) {
      module.FS.unlink(`/${name}`);
      throw error;
    }
  };
}

function createFile(module: H5wasmModule, file: bigint, fileBytes: number, forget: () => unknown): Hdf5File {
  // Each byte of the file can be a weight's only once, so all weights together are no larger than the file.
  let unclaimedBytes = fileBytes;
  const metadataOf = new Map<string, H5wasmMetadata>();

  const listNames = (group: string): string[] => {
    if (guarded(group, () => module.get_type(file, group)) !== objectType.group) return [];
    if (group !== "/") refuseLink(module, file, group);
    return guarded(group, () => module.get_names(file, group, false));
  };

  return {
    listNames,
    listDatasets(group) {
      const datasets = new Map<string, Hdf5Dataset>();
      let objects = 0;
      const walk = (path: string, depth: number) => {
        if (depth > maxDepth) throw invalidModel(`${path}: expected groups at most ${maxDepth} deep`);
        for (const name of listNames(path)) {
          const child = path === "/" ? `/${name}` : `${path}/${name}`;
          if (++objects > maxObjects) throw invalidModel(`${group}: expected at most ${maxObjects} objects`);
          refuseLink(module, file, child);
          const type = guarded(child, () => module.get_type(file, child));
          if (type === objectType.group) {
            walk(child, depth + 1);
          } else if (type === objectType.dataset) {
            const metadata = guarded(child, () => module.get_dataset_metadata(file, child));
            metadataOf.set(child, metadata);
            datasets.set(child, { path: child, shape: metadata.shape ?? [] });
          } else {
            throw invalidModel(`${child}: expected a group or a dataset`);
          }
        }
      };
      walk(group, 1);
      return datasets;
    },
    readTexts: (group, attribute) => guarded(group, () => readTexts(module, file, group, attribute)),
    readFloats({ path, shape }) {
      const metadata = metadataOf.get(path)!;
      refuseOtherStorage(path, metadata);
      const bytes = countValues(metadata) * metadata.size;
      if (!(bytes <= unclaimedBytes)) {
        throw invalidModel(
          `${path}: claims ${formatShape(shape)} values of ${metadata.size} bytes, the file has ${unclaimedBytes} bytes left for it`,
        );
      }
      unclaimedBytes -= bytes;
      return guarded(path, () => readValues(module, file, path, metadata));
    },
    close() {
      forget();
      guarded("the file", () => module.close_file(file));
    },
  };
}

function refuseLink(module: H5wasmModule, file: bigint, path: string): void {
  const { filename } = guarded(path, () => module.get_external_link(file, path));
  if (filename !== undefined) throw invalidModel(`${path}: is a link to another file; expected no links`);
  if (guarded(path, () => module.get_symbolic_link(file, path)) !== null) {
    throw invalidModel(`${path}: is a soft link; expected no links`);
  }
}

function refuseOtherStorage(path: string, metadata: H5wasmMetadata): void {
  const { type, size, chunks, virtual_sources } = metadata;
  if (virtual_sources) throw invalidModel(`${path}: is a virtual dataset; expected values of its own`);
  if (chunks) {
    throw invalidModel(`${path}: lies in chunks, maybe compressed; expected one piece, as Keras writes it`);
  }
  const isFloat32 = type === typeClass.float && size === 4;
  const isWhole = type === typeClass.integer && (size === 4 || size === 8);
  if (!isFloat32 && !isWhole) {
    throw invalidModel(
      `${path}: expected values of type float32, got class ${type} of HDF5, ${size} bytes each`,
    );
  }
}

/** By the shape: a product of HDF5's own may have overflowed. */
function countValues({ shape }: H5wasmMetadata): number {
  return shape === null ? 0 : shape.reduce((a, b) => a * b, 1);
}

/** In C order, piece by piece: whole rows of the first axis along which a row fits into a piece. */
function readValues(
  module: H5wasmModule,
  file: bigint,
  path: string,
  metadata: H5wasmMetadata,
): Float32Array {
  const { size } = metadata;
  const shape = metadata.shape ?? [0];
  const total = countValues(metadata);
  const values = new Float32Array(total);
  if (total === 0) return values;
  const piece = Math.min(total * size, pieceBytes);
  const address = module._malloc(piece);
  if (address === 0) throw new Error(`no memory for a piece of ${piece} bytes`);
  try {
    if (shape.length === 0) {
      module.get_dataset_data(file, path, null, null, null, BigInt(address));
      copyValues(module, address, 1, metadata, values, 0);
      return values;
    }
    const rowsFrom = shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1));
    const axis = rowsFrom.findIndex((row) => row * size <= pieceBytes);
    const row = rowsFrom[axis]!;
    const rowsAtOnce = Math.max(Math.floor(pieceBytes / (row * size)), 1);
    const strides = shape.map(() => 1n);
    for (let done = 0; done < total; ) {
      // The place of the next value in each axis up to the one that is cut.
      const offset = shape.map((length, i) => (i > axis ? 0 : Math.floor(done / rowsFrom[i]!) % length));
      const rows = Math.min(rowsAtOnce, shape[axis]! - offset[axis]!);
      const count = shape.map((length, i) => (i < axis ? 1 : i === axis ? rows : length));
      module.get_dataset_data(file, path, count.map(BigInt), offset.map(BigInt), strides, BigInt(address));
      copyValues(module, address, rows * row, metadata, values, done);
      done += rows * row;
    }
    return values;
  } finally {
    module._free(address);
  }
}

function copyValues(
  module: H5wasmModule,
  address: number,
  count: number,
  { type, size, signed }: H5wasmMetadata,
  values: Float32Array,
  start: number,
): void {
  const buffer = module.HEAPU8.buffer as ArrayBuffer;
  if (type === typeClass.float) {
    values.set(new Float32Array(buffer, address, count), start);
    return;
  }
  const kinds = size === 8 ? [BigUint64Array, BigInt64Array] : [Uint32Array, Int32Array];
  const Kind = kinds[signed ? 1 : 0]!;
  const whole = new Kind(buffer, address, count);
  for (let i = 0; i < count; i++) values[start + i] = Number(whole[i]);
}

/** Whatever HDF5 or its WebAssembly throws becomes the one error, with HDF5's innermost reason. */
function guarded<T>(what: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (cause instanceof EmbedError) throw cause;
    const lines = [...String(cause).matchAll(/^\s+#\d+: .*? in \w+\(\): (.*)$/gm)];
    const reason = lines.at(-1)?.[1] ?? (cause instanceof Error ? cause.message : String(cause));
    throw invalidModel(`HDF5 cannot read ${what}: ${reason}`, cause);
  }
}
