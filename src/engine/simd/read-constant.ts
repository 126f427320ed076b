import { EmbedError } from "../../errors.ts";
import {
  type TensorProto,
  TensorProto_DataType,
  TensorProto_DataTypeSchema,
} from "../../gen/onnx/onnx_pb.ts";
import { float16Values } from "./float16-values.ts";
import { unsupported } from "./unsupported.ts";

export interface OnnxConstant {
  readonly shape: readonly number[];
  /** Of int64 values. */
  readonly integers?: readonly number[];
  /** Of float32 values, which are read when they are asked for; the result is good until those of any constant are. */
  readonly floats?: () => Float32Array;
  /** The same of float16 values, which nothing but a `Cast` to float32 may take. */
  readonly halves?: () => Float32Array;
}

/**
 * @param readFloats of `createFloatReader`
 * @throws EmbedError `ENGINE_UNSUPPORTED` for values of another type, `MODEL_CORRUPT` for fewer or more of them than its shape says
 */
export function readConstant(tensor: TensorProto, readFloats: FloatReader): OnnxConstant {
  const { name, dataType, rawData } = tensor;
  const shape = tensor.dims.map(Number);
  if (shape.some((size) => size < 1))
    throw unsupported(`constant "${name}": expected sizes of at least 1, got (${shape.join(", ")})`);
  const kind = constantKinds.get(dataType);
  if (!kind) {
    const known = TensorProto_DataTypeSchema.values.find(({ number }) => number === dataType);
    const got = known?.name.toLowerCase() ?? `type ${dataType}`;
    const isQuantised = quantisedTypes.includes(dataType);
    const hint = isQuantised ? "; a quantised model needs another engine, such as ort-wasm" : "";
    throw unsupported(`constant "${name}": expected float32, float16 or int64 values, got ${got}${hint}`);
  }
  const { size } = kind;
  const listed = kind.listed(tensor);
  const isWhole = rawData.length % size === 0;
  const got = rawData.length === 0 ? listed.length : isWhole ? rawData.length / size : 0;
  const count = shape.reduce((a, b) => a * b, 1);
  if (got !== count) {
    throw new EmbedError(
      "MODEL_CORRUPT",
      `constant "${name}": expected ${count} values for (${shape.join(", ")}), got ${got}`,
    );
  }
  return { shape, ...kind.read(tensor, readFloats) };
}

type FloatReader = (tensor: TensorProto) => Float32Array;

interface ConstantKind {
  /** Bytes of a value. */
  readonly size: number;
  /** Values that are not in `rawData`. */
  readonly listed: (tensor: TensorProto) => ArrayLike<unknown>;
  readonly read: (tensor: TensorProto, readFloats: FloatReader) => Omit<OnnxConstant, "shape">;
}

const constantKinds: ReadonlyMap<number, ConstantKind> = new Map([
  [
    TensorProto_DataType.FLOAT,
    {
      size: 4,
      listed: (tensor) => tensor.floatData,
      read: (tensor, floats) => ({ floats: () => floats(tensor) }),
    },
  ],
  [
    TensorProto_DataType.FLOAT16,
    // ONNX lists float16 values as whole numbers, which no writer does that we know of.
    { size: 2, listed: () => [], read: (tensor, floats) => ({ halves: () => floats(tensor) }) },
  ],
  [
    TensorProto_DataType.INT64,
    { size: 8, listed: (tensor) => tensor.int64Data, read: (tensor) => ({ integers: readIntegers(tensor) }) },
  ],
] satisfies [number, ConstantKind][]);

const quantisedTypes: readonly number[] = [
  TensorProto_DataType.INT8,
  TensorProto_DataType.UINT8,
  TensorProto_DataType.INT32,
];

/** ONNX stores numbers so; nearly every machine does too. */
const isLittleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/**
 * Reads float32 and float16 values, into the same memory each time: a tensor lies at any byte of its model, but a Float32Array begins at
 * a multiple of four, and copies of all weights at once would be as large as the model.
 */
export function createFloatReader(): FloatReader {
  let last: { readonly tensor: TensorProto; readonly values: Float32Array } | undefined;
  let memory = new ArrayBuffer(0);
  return (tensor) => {
    if (last?.tensor !== tensor) last = { tensor, values: read(tensor) };
    return last.values;
  };

  function read({ rawData, floatData, dataType }: TensorProto): Float32Array {
    if (rawData.length === 0) return Float32Array.from(floatData);
    if (dataType === TensorProto_DataType.FLOAT16) return readHalves(rawData);
    if (memory.byteLength < rawData.length) memory = new ArrayBuffer(rawData.length);
    new Uint8Array(memory).set(rawData);
    const values = new Float32Array(memory, 0, rawData.length / 4);
    if (!isLittleEndian) {
      const view = new DataView(memory);
      for (let i = 0; i < values.length; i++) values[i] = view.getFloat32(4 * i, true);
    }
    return values;
  }

  function readHalves(rawData: Uint8Array): Float32Array {
    if (memory.byteLength < 2 * rawData.length) memory = new ArrayBuffer(2 * rawData.length);
    const values = new Float32Array(memory, 0, rawData.length / 2);
    for (let i = 0; i < values.length; i++) {
      values[i] = float16Values[rawData[2 * i]! | (rawData[2 * i + 1]! << 8)]!;
    }
    return values;
  }
}

function readIntegers({ rawData, int64Data }: TensorProto): number[] {
  if (rawData.length === 0) return int64Data.map(Number);
  const view = new DataView(rawData.buffer, rawData.byteOffset, rawData.byteLength);
  return Array.from({ length: rawData.length / 8 }, (_, i) => Number(view.getBigInt64(8 * i, true)));
}
