import { fromBinary } from "@bufbuild/protobuf";
import type { ErrorExpectation, ItemExpectation } from "../gen/portico/conformance/v1/suite_pb.ts";
import { type BatchFailure, BatchFailureSchema } from "../gen/portico/v1/errors_pb.ts";
import { type RpcError, textOf } from "./operator-client.ts";
import { codeToString } from "./rpc-code.ts";

/** Judges a failed call: its code, and every bad item that its BatchFailure detail must name. */
export function checkError(error: RpcError, expected: ErrorExpectation): readonly string[] {
  const problems: string[] = [];
  if (error.code !== expected.code) {
    problems.push(
      `expected ${codeToString(expected.code)}, got ${codeToString(error.code)} ("${error.message.slice(0, 200)}")`,
    );
  }
  return expected.items.length === 0 ? problems : [...problems, ...checkDetail(error, expected.items)];
}

function checkDetail(error: RpcError, expected: readonly ItemExpectation[]): readonly string[] {
  const details = error.details.filter(({ typeUrl }) => typeUrl.endsWith(`/${BatchFailureSchema.typeName}`));
  if (details.length !== 1) {
    return [`expected one error detail of ${BatchFailureSchema.typeName}, got ${details.length}`];
  }
  try {
    const items = expected.flatMap(repeatItem);
    const failure = fromBinary(BatchFailureSchema, details[0]!.value);
    return [...checkIndexes(failure, items), ...checkItems(failure, items)];
  } catch (cause) {
    return [`the error detail cannot be read: ${textOf(cause)}`];
  }
}

interface Item {
  readonly index: number;
  readonly reason: string;
  readonly messageParts: readonly string[];
}

function repeatItem({ index, reason, messageParts, repeat }: ItemExpectation): readonly Item[] {
  return Array.from({ length: Math.max(1, repeat) }, (_, offset) => ({
    index: index + offset,
    reason,
    messageParts,
  }));
}

/** `indexes` must name every bad item once, and no other. */
function checkIndexes(failure: BatchFailure, expected: readonly Item[]): readonly string[] {
  const got = failure.indexes
    .flatMap(({ reason, indexes }) => indexes.map((index) => ({ index, reason })))
    .sort((a, b) => a.index - b.index);
  const [want, have] = [listItems(expected), listItems(got)];
  return want === have ? [] : [`expected the bad items ${want}, got ${have}`];
}

/** `items` may be cut at its end, and must not contradict; the first must be there. */
function checkItems(failure: BatchFailure, expected: readonly Item[]): readonly string[] {
  const [want, have] = [listItems(expected.slice(0, failure.items.length)), listItems(failure.items)];
  if (failure.items.length === 0) return ["the error detail tells no item's message"];
  if (want !== have) return [`expected messages for the items ${want}, got ${have}`];
  return failure.items.flatMap(({ index, message }, at) => {
    if (message.trim() === "") return [`item ${index} has no message`];
    return expected[at]!.messageParts.filter(
      (part) => !message.toLowerCase().includes(part.toLowerCase()),
    ).map((part) => `expected "${part}" in the message of item ${index}, got "${message}"`);
  });
}

function listItems(items: readonly { readonly index: number; readonly reason: string }[]): string {
  const shown = items.map(({ index, reason }) => `${index} ${reason}`);
  return shown.length === 0 ? "none" : shown.join(", ");
}
