import { type ResourceLimits, Worker } from "node:worker_threads";
import { EmbedError, type PlainEmbedError } from "../../errors.ts";
import { keepWasmCode } from "./keep-wasm-code.ts";

/** The one message of a thread that `runInThread` started. An `EmbedError` travels as plain data. */
export type ThreadReply<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: PlainEmbedError };

/**
 * Runs a module in a thread of its own and ends the thread once it has answered. The module finds `input` as
 * its `workerData` and posts one `ThreadReply`.
 * @param signal ends the thread at once, in the midst of its work
 * @param resourceLimits of its heap, which WebAssembly and large arrays are no part of
 * @throws the `EmbedError` that the thread posted; `INTERNAL` if it ended without an answer; the signal's reason
 */
export async function runInThread<T>(
  entry: URL,
  input: unknown,
  signal?: AbortSignal,
  resourceLimits: ResourceLimits = {},
): Promise<T> {
  signal?.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<ThreadReply<T>>();
  const fail = (what: string, cause?: unknown) =>
    reject(new EmbedError("INTERNAL", `the thread ${entry.pathname.split("/").at(-1)} ${what}`, { cause }));
  const onAbort = () => reject(signal?.reason);
  keepWasmCode();
  const worker = new Worker(entry, { workerData: input, resourceLimits });
  worker.once("message", resolve);
  worker.once("messageerror", (cause) => fail(`sent what cannot be read: ${cause.message}`, cause));
  worker.once("error", (cause) => fail(`failed: ${(cause as Error).message}`, cause));
  worker.once("exit", (code) => fail(`ended with exit code ${code} and without an answer`));
  signal?.addEventListener("abort", onAbort);
  try {
    const reply = await promise;
    if (!reply.ok) throw EmbedError.fromPlain(reply.error);
    return reply.value;
  } finally {
    signal?.removeEventListener("abort", onAbort);
    await worker.terminate();
  }
}
