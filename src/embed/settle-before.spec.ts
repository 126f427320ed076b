import { Code, ConnectError } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { EmbedError } from "../errors.ts";
import { abortError, settleBefore } from "./settle-before.ts";

const deadline = {
  reason: "DEADLINE_EXCEEDED",
  message: "the caller's deadline passed before the work was done",
};
const gone = { reason: "CANCELLED", message: "the caller went away before the work was done" };

test.each([
  { name: "a timeout", cause: new DOMException("late", "TimeoutError"), expected: deadline },
  { name: "Connect's deadline", cause: new ConnectError("late", Code.DeadlineExceeded), expected: deadline },
  { name: "Connect's cancellation", cause: new ConnectError("gone", Code.Canceled), expected: gone },
  { name: "an abort without a reason", cause: undefined, expected: gone },
  {
    name: "our own error",
    cause: new EmbedError("SHUTTING_DOWN", "stopping"),
    expected: { reason: "SHUTTING_DOWN", message: "stopping" },
  },
])("abortError tells $name", ({ cause, expected }) => {
  expect(abortError(AbortSignal.abort(cause))).toMatchObject(expected);
});

test("settleBefore gives what the promise gives", async () => {
  await expect(settleBefore(Promise.resolve(1), undefined)).resolves.toBe(1);
  await expect(settleBefore(Promise.resolve(1), new AbortController().signal)).resolves.toBe(1);
  await expect(settleBefore(Promise.reject(new Error("no")), new AbortController().signal)).rejects.toThrow(
    "no",
  );
});

test("settleBefore takes care of a promise that rejects after the signal", async () => {
  const unhandled: unknown[] = [];
  const listener = (reason: unknown) => unhandled.push(reason);
  process.on("unhandledRejection", listener);
  const late = Promise.reject(new Error("late"));
  await expect(settleBefore(late, AbortSignal.abort())).rejects.toMatchObject(gone);
  await new Promise((resolve) => setTimeout(resolve, 10));
  process.off("unhandledRejection", listener);
  expect(unhandled).toEqual([]);
});

test("settleBefore ends with the signal", async () => {
  const never = new Promise(() => undefined);
  await expect(settleBefore(never, AbortSignal.abort())).rejects.toMatchObject(gone);
  await expect(settleBefore(never, AbortSignal.timeout(5))).rejects.toMatchObject(deadline);
});
