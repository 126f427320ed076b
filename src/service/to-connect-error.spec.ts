import { Code } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { EmbedError } from "../errors.ts";
import { toConnectError } from "./to-connect-error.ts";

test.each([
  { reason: "OVERLOADED", code: Code.ResourceExhausted, retry: ["1", "1000"] },
  { reason: "NOT_READY", code: Code.Unavailable, retry: ["1", "1000"] },
  { reason: "REQUEST_TOO_LARGE", code: Code.ResourceExhausted, retry: [null, null] },
  { reason: "IMAGE_CORRUPT", code: Code.InvalidArgument, retry: [null, null] },
  { reason: "INTERNAL", code: Code.Internal, retry: [null, null] },
] as const)("$reason", ({ reason, code, retry }) => {
  const error = toConnectError(
    new EmbedError(reason, "what happened", { cause: new Error("inner details") }),
  );
  expect(error.code).toBe(code);
  expect(error.rawMessage).toBe(`${reason}: what happened`);
  expect([error.metadata.get("retry-after"), error.metadata.get("grpc-retry-pushback-ms")]).toEqual(retry);
  expect(error.details).toEqual([]);
});
