import { type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { ModelProtoSchema } from "../../gen/onnx/onnx_pb.ts";
import { invalidModel } from "../convert-error.ts";

/**
 * Fields of all messages, and values of lists: each becomes an object or a number when it is parsed, many times its
 * bytes. Weights are raw bytes and count as one. A large network has some 100,000.
 */
const maxOnnxFields = 2_000_000;

/** Messages within messages; a type within a type within a value takes six. */
const maxOnnxDepth = 20;

/**
 * Walks the bytes of an ONNX model without building it, and refuses what would be parsed into too much. A known field
 * must have its own wire type: protobuf-es does not look at it, and would read other fields than this walk has counted.
 * @throws EmbedError `CONVERT_INVALID`
 */
export function checkOnnxWire(bytes: Uint8Array): void {
  const reader = new BinaryReader(bytes);
  let fields = 0;
  const count = (more: number) => {
    fields += more;
    if (fields > maxOnnxFields) {
      throw invalidModel(`expected an ONNX model of at most ${maxOnnxFields} fields and listed values`);
    }
  };
  const walk = (desc: DescMessage, end: number, depth: number) => {
    if (depth > maxOnnxDepth) throw invalidModel(`the ONNX model is nested more than ${maxOnnxDepth} deep`);
    const known = fieldsOf(desc);
    while (reader.pos < end) {
      count(1);
      const [number, wireType] = reader.tag();
      const field = known.get(number);
      const isPacked = field?.fieldKind === "list" && wireType === WireType.LengthDelimited;
      if (field && wireType !== wireTypeOf(field) && !isPacked) {
        throw invalidModel(`the ONNX model has a field ${field.name} of another kind than ONNX's`);
      }
      if (!field || wireType !== WireType.LengthDelimited) {
        reader.skip(wireType, number);
        continue;
      }
      const length = reader.uint32();
      const until = reader.pos + length;
      if (until > end) throw invalidModel("the ONNX model ends within a field; it may be cut short");
      if (field.message) {
        walk(field.message, until, depth + 1);
      } else {
        if (isPacked) count(countPacked(field, length));
        reader.pos = until;
      }
    }
    if (reader.pos > end) throw invalidModel("the ONNX model ends within a field; it may be cut short");
  };
  walk(ModelProtoSchema, bytes.length, 1);
}

function wireTypeOf({ message, scalar }: DescField): WireType {
  if (message || scalar === ScalarType.STRING || scalar === ScalarType.BYTES) return WireType.LengthDelimited;
  if (scalar === ScalarType.FLOAT) return WireType.Bit32;
  return scalar === ScalarType.DOUBLE ? WireType.Bit64 : WireType.Varint;
}

/** The most values that a packed list of so many bytes may have; texts come one by one. */
function countPacked(field: DescField, bytes: number): number {
  const wireType = wireTypeOf(field);
  if (wireType === WireType.LengthDelimited) return 0;
  return wireType === WireType.Bit32 ? bytes / 4 : wireType === WireType.Bit64 ? bytes / 8 : bytes;
}

const fieldsByMessage = new WeakMap<DescMessage, ReadonlyMap<number, DescField>>();

function fieldsOf(desc: DescMessage): ReadonlyMap<number, DescField> {
  const known = fieldsByMessage.get(desc);
  if (known) return known;
  const fields = new Map(desc.fields.map((field) => [field.number, field]));
  fieldsByMessage.set(desc, fields);
  return fields;
}
