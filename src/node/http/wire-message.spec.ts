import { create, type DescMessage, fromBinary, toBinary } from "@bufbuild/protobuf";
import { BinaryWriter, type WireType } from "@bufbuild/protobuf/wire";
import { FileDescriptorProtoSchema, StructSchema } from "@bufbuild/protobuf/wkt";
import { describe, expect, test } from "vitest";
import { HealthListResponseSchema } from "../../gen/grpc/health/v1/health_pb.ts";
import {
  ExecuteReplySchema,
  ExecuteRequestSchema,
  file_omnisearch_operator,
} from "../../gen/omnisearch/operator_pb.ts";
import { checkWireMessage } from "./wire-message.ts";

const limits = { messageMaxElements: 10, messageMaxDepth: 4 };
const check = (hex: string, desc: DescMessage = ExecuteRequestSchema) =>
  checkWireMessage(Buffer.from(hex.replaceAll(" ", ""), "hex"), desc, limits);

describe("passes", () => {
  const cases: [string, string, DescMessage?][] = [
    ["nothing", ""],
    ["ten fields", "1200".repeat(10)],
    ["text", "12 03 e5b39b 0a 01 41"],
    ["an unknown field of each type", "78 01  79 0102030405060708  7a 02 ffff  7d 01020304  7b 78 01 7c"],
    ["unknown groups three deep", "7b 7b 7b 7c 7c 7c"],
    ["a packed list", "12 06 0a 04 0000803f", ExecuteReplySchema],
    ["a list that could be packed", "12 05 0d 0000803f", ExecuteReplySchema],
    ["a map of messages", "0a 07 0a 01 41 12 02 08 01", HealthListResponseSchema],
    ["a varint of ten bytes", "08 ffffffffffffffffff01", ExecuteReplySchema],
    ["bytes that are no text", "1a 03 12 01 ff", ExecuteReplySchema],
    ["text that proto2 does not check", "0a 01 ff", FileDescriptorProtoSchema],
  ];
  test.each(cases)("%s", (_, hex, desc) => {
    expect(() => check(hex, desc)).not.toThrow();
  });
});

describe("refuses", () => {
  const got = (name: string, bytes: number, cause: string) =>
    `expected omnisearch.${name} in protobuf's wire format, got ${bytes} bytes that are not: ${cause}`;
  const request = (bytes: number, cause: string) => got("ExecuteRequest", bytes, cause);
  const reply = (bytes: number, cause: string) => got("ExecuteReply", bytes, cause);

  const malformed: [string, string, string, DescMessage?][] = [
    ["a field cut off", "12 7f 41", request(3, "premature EOF")],
    ["a tag cut off", "92", request(1, "premature EOF")],
    ["a length cut off", "12 ff", request(2, "premature EOF")],
    ["a fixed value cut off", "7d 0102", request(3, "premature EOF")],
    ["a group without an end", "7b 78 01", request(3, "premature EOF")],
    ["another group's end", "7b 74", request(2, "invalid end group tag")],
    ["an end without a group", "7c", request(1, "cant skip wire type 4")],
    ["field number 0", "02 00", request(2, "illegal tag: field no 0 wire type 2")],
    ["wire type 7", "17", request(1, "illegal tag: field no 2 wire type 7")],
    ["a tag beyond 32 bits", "92 80 80 80 10 00", request(6, "illegal tag: varint overflows uint32")],
    ["a varint of eleven bytes", "78 ffffffffffffffffffff01", request(12, "invalid varint")],
    ["text that is no UTF-8", "12 02 fffe", request(4, "the field datas is not UTF-8")],
    ["half a surrogate pair", "0a 03 eda080", request(5, "the field urls is not UTF-8")],
    // Protobuf-es reads a length here, whatever the wire type says.
    ["a number as text", "10 02 1200", request(4, "wire type 0 instead of 2 for the field datas")],
    ["a group as text", "13 14", request(2, "wire type 3 instead of 2 for the field datas")],
    [
      "text as a number",
      "0a 01 41",
      reply(3, "wire type 2 instead of 0 for the field nums"),
      ExecuteReplySchema,
    ],
    [
      "a list beyond its message",
      "12 03 0a 04 0000803f",
      reply(8, "a field ends beyond its message"),
      ExecuteReplySchema,
    ],
    [
      "a value beyond its list",
      "12 07 0a 03 0000803f",
      reply(8, "a value ends beyond its list"),
      ExecuteReplySchema,
    ],
  ];
  test.each(malformed)("%s", (_, hex, message, desc) => {
    expect(() => check(hex, desc)).toThrow(expect.objectContaining({ reason: "REQUEST_INVALID", message }));
  });

  const tooMany = "expected at most 10 fields in one message, got at least 11";
  const tooDeep = "expected a message of at most 4 levels, got at least 5";
  const tooLarge: [string, string, string, DescMessage?][] = [
    ["too many empty datas", "1200".repeat(11), tooMany],
    ["too many unknown fields", "7800".repeat(11), tooMany],
    ["too many fields, the last ones cut off", `${"1200".repeat(11)}127f`, tooMany],
    ["too many fields in a group", `7b${"7800".repeat(10)}7c`, tooMany],
    ["too many fields in messages", "12020a00".repeat(6), tooMany, ExecuteReplySchema],
    ["too many values in a packed list", `12260a24${"00".repeat(36)}`, tooMany, ExecuteReplySchema],
    ["groups in groups", "7b 7b 7b 7b", tooDeep],
  ];
  test.each(tooLarge)("%s", (_, hex, message, desc) => {
    expect(() => check(hex, desc)).toThrow(expect.objectContaining({ reason: "REQUEST_TOO_LARGE", message }));
  });

  test("messages in messages", () => {
    let hex = "";
    // Struct: a map entry in a struct, a value in the entry, a struct in the value.
    for (let level = 0; level < 2; level++) {
      const bytes = hex.length / 2;
      const byte = (value: number) => value.toString(16).padStart(2, "0");
      hex = `0a${byte(bytes + 4)}12${byte(bytes + 2)}2a${byte(bytes)}${hex}`;
    }
    expect(() => check(hex, StructSchema)).toThrow(
      expect.objectContaining({ reason: "REQUEST_TOO_LARGE", message: tooDeep }),
    );
  });
});

describe("what passes, protobuf-es reads", () => {
  const roomy = { messageMaxElements: 100_000, messageMaxDepth: 100 };
  const struct = create(StructSchema, {
    fields: {
      a: { kind: { case: "numberValue", value: 1.5 } },
      ü: { kind: { case: "listValue", value: { values: [{ kind: { case: "boolValue", value: true } }] } } },
    },
  });
  const reply = create(ExecuteReplySchema, {
    nums: 2n ** 62n,
    vectors: [{ element: [1, 2, 3] }, {}],
    metadata: [{ url: "http://a/", data: Uint8Array.of(255, 0) }],
  });
  const request = create(ExecuteRequestSchema, { urls: ["", "é"], datas: ["QUJD", ""] });
  const seeds: [DescMessage, Uint8Array][] = [
    [ExecuteRequestSchema, toBinary(ExecuteRequestSchema, request)],
    [ExecuteReplySchema, toBinary(ExecuteReplySchema, reply)],
    [StructSchema, toBinary(StructSchema, struct)],
    [FileDescriptorProtoSchema, toBinary(FileDescriptorProtoSchema, file_omnisearch_operator.proto)],
  ];

  test.each(seeds)("%s, and 5000 mutations of it", (desc, seed) => {
    expect(() => checkWireMessage(seed, desc, roomy)).not.toThrow();
    const random = createRandom(20_261_121);
    let passed = 0;
    for (let round = 0; round < 5000; round++) {
      const bytes = mutate(seed, random);
      try {
        checkWireMessage(bytes, desc, roomy);
      } catch {
        continue;
      }
      passed++;
      expect(() => fromBinary(desc, bytes, { readUnknownFields: false }), hexOf(bytes)).not.toThrow();
    }
    expect(passed).toBeGreaterThan(100);
  });
});

const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

/** mulberry32: the same numbers in every run, 0 to `below` - 1. */
function createRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

/** One to three bytes changed, then perhaps cut off or followed by a field of any type. */
function mutate(seed: Uint8Array, random: (below: number) => number): Uint8Array {
  const bytes = Uint8Array.from(seed);
  for (let change = random(3); change >= 0; change--) bytes[random(bytes.length)] = random(256);
  if (random(4) === 0) return bytes.subarray(0, random(bytes.length));
  if (random(2) === 0) return bytes;
  const more = new BinaryWriter()
    .tag(1 + random(20), random(6) as WireType)
    .uint32(random(9))
    .finish();
  return Buffer.concat([bytes, more]);
}
