import { isUtf8 } from "node:buffer";
import { type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { EmbedError } from "../../errors.ts";
import { createMessageShape, type MessageShape, type MessageShapeLimits } from "./message-shape.ts";

/**
 * Walks a message in protobuf's wire format without building it, and refuses what protobuf-es would not
 * read, or would read into too many parts. Elements are all fields, those of inner messages and unknown ones
 * too, and each value of a packed list. A known field must have its own wire type: protobuf-es does not look
 * at it, and would read other fields than this walk has counted.
 * @throws EmbedError `REQUEST_INVALID`, `REQUEST_TOO_LARGE`
 */
export function checkWireMessage(bytes: Uint8Array, desc: DescMessage, limits: MessageShapeLimits): void {
  const reader = new BinaryReader(bytes);
  const shape = createMessageShape(limits, "fields");
  try {
    walkMessage(reader, fieldsOf(desc), bytes.length, shape);
  } catch (error) {
    if (error instanceof EmbedError) throw error;
    const cause = error instanceof Error ? error.message : String(error);
    const message = `expected ${desc.typeName} in protobuf's wire format, got ${bytes.length} bytes that are not: ${cause}`;
    throw new EmbedError("REQUEST_INVALID", message, { cause: error });
  }
}

/** How a field looks on the wire. */
interface WireField {
  readonly name: string;
  readonly wireType: WireType;
  readonly isPackable: boolean;
  readonly isUtf8: boolean;
  /** Of the inner message, if the field holds one. A function, since a message may hold itself. */
  readonly inner: (() => WireFields) | undefined;
}

type WireFields = ReadonlyMap<number, WireField>;

function walkMessage(reader: BinaryReader, fields: WireFields, end: number, shape: MessageShape): void {
  shape.enter();
  while (reader.pos < end) {
    shape.addElement();
    const [number, wireType] = reader.tag();
    walkField(reader, number, wireType, fields.get(number), shape);
  }
  if (reader.pos > end) throw new Error("a field ends beyond its message");
  shape.leave();
}

function walkField(
  reader: BinaryReader,
  number: number,
  wireType: WireType,
  field: WireField | undefined,
  shape: MessageShape,
): void {
  if (field && wireType !== field.wireType) {
    const isPacked = field.isPackable && wireType === WireType.LengthDelimited;
    if (!isPacked) {
      throw new Error(`wire type ${wireType} instead of ${field.wireType} for the field ${field.name}`);
    }
    walkPacked(reader, field.wireType, shape);
    return;
  }
  switch (wireType) {
    case WireType.StartGroup:
      walkGroup(reader, number, field?.inner?.(), shape);
      break;
    case WireType.LengthDelimited:
      if (field?.inner) walkMessage(reader, field.inner(), endOfBytes(reader), shape);
      else checkText(reader.bytes(), field);
      break;
    case WireType.Varint:
      // Protobuf-es takes any length for an unknown one; ten bytes are what the format allows.
      reader.bool();
      break;
    default:
      reader.skip(wireType, number);
  }
}

function checkText(bytes: Uint8Array, field: WireField | undefined): void {
  if (field?.isUtf8 && !isUtf8(bytes)) throw new Error(`the field ${field.name} is not UTF-8`);
}

/** The fields up to the end tag of a group; `reader` throws at the end of all bytes. */
function walkGroup(
  reader: BinaryReader,
  number: number,
  fields: WireFields | undefined,
  shape: MessageShape,
) {
  shape.enter();
  for (;;) {
    const [innerNumber, wireType] = reader.tag();
    if (wireType === WireType.EndGroup) {
      if (innerNumber !== number) throw new Error("invalid end group tag");
      break;
    }
    shape.addElement();
    walkField(reader, innerNumber, wireType, fields?.get(innerNumber), shape);
  }
  shape.leave();
}

function walkPacked(reader: BinaryReader, wireType: WireType, shape: MessageShape): void {
  const end = endOfBytes(reader);
  while (reader.pos < end) {
    shape.addElement();
    if (wireType === WireType.Varint) reader.bool();
    else reader.skip(wireType);
  }
  if (reader.pos > end) throw new Error("a value ends beyond its list");
}

/** Reads a length and tells where what follows ends. */
function endOfBytes(reader: BinaryReader): number {
  return reader.uint32() + reader.pos;
}

const fieldsByMessage = new WeakMap<DescMessage, WireFields>();

function fieldsOf(desc: DescMessage): WireFields {
  let fields = fieldsByMessage.get(desc);
  if (!fields) {
    fields = new Map(desc.fields.map((field) => [field.number, wireFieldOf(field)]));
    fieldsByMessage.set(desc, fields);
  }
  return fields;
}

function wireFieldOf(field: DescField): WireField {
  if (field.fieldKind !== "map") return wireValueOf(field);
  const { name, mapKey, utf8Validation } = field;
  const entry = new Map([
    [1, scalarField(name, mapKey, utf8Validation)],
    [2, wireValueOf(field)],
  ]);
  return messageField(name, WireType.LengthDelimited, () => entry);
}

/** The field itself, or one value of the list or map that it is. */
function wireValueOf(field: DescField): WireField {
  const { name, message, utf8Validation } = field;
  if (message) {
    const wireType = field.delimitedEncoding ? WireType.StartGroup : WireType.LengthDelimited;
    return messageField(name, wireType, () => fieldsOf(message));
  }
  // An enum is an int32.
  const value = scalarField(name, field.scalar ?? ScalarType.INT32, utf8Validation);
  return { ...value, isPackable: field.fieldKind === "list" && value.wireType !== WireType.LengthDelimited };
}

function messageField(name: string, wireType: WireType, inner: () => WireFields): WireField {
  return { name, wireType, isPackable: false, isUtf8: false, inner };
}

function scalarField(name: string, type: ScalarType, utf8Validation: boolean): WireField {
  const isUtf8 = type === ScalarType.STRING && utf8Validation;
  return { name, wireType: wireTypes[type], isPackable: false, isUtf8, inner: undefined };
}

/** https://protobuf.dev/programming-guides/encoding/#structure */
const wireTypes: Readonly<Record<ScalarType, WireType>> = {
  [ScalarType.INT32]: WireType.Varint,
  [ScalarType.INT64]: WireType.Varint,
  [ScalarType.UINT32]: WireType.Varint,
  [ScalarType.UINT64]: WireType.Varint,
  [ScalarType.SINT32]: WireType.Varint,
  [ScalarType.SINT64]: WireType.Varint,
  [ScalarType.BOOL]: WireType.Varint,
  [ScalarType.FIXED64]: WireType.Bit64,
  [ScalarType.SFIXED64]: WireType.Bit64,
  [ScalarType.DOUBLE]: WireType.Bit64,
  [ScalarType.FIXED32]: WireType.Bit32,
  [ScalarType.SFIXED32]: WireType.Bit32,
  [ScalarType.FLOAT]: WireType.Bit32,
  [ScalarType.STRING]: WireType.LengthDelimited,
  [ScalarType.BYTES]: WireType.LengthDelimited,
};
