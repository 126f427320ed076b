import { Worker } from "node:worker_threads";
import type { EmbedResult } from "../embed/embedder.ts";
import { EmbedError } from "../errors.ts";
import type { WorkerMessage, WorkerSetup } from "./worker-protocol.ts";

/** A worker thread as seen from the main thread. */
export interface PooledWorker {
  /** Resolves after the self-check; rejects if the worker cannot work. */
  readonly ready: Promise<{ readonly maxAbsError: number }>;
  /** Resolves, never rejects, once the thread has ended unasked. */
  readonly lost: Promise<EmbedError>;
  /** One picture at a time; never rejects. `bytes` is transferred where it owns its memory. */
  embed(bytes: Uint8Array): Promise<EmbedResult>;
  terminate(): Promise<void>;
}

/** Starts `embed-worker` beside this file: .ts in the repository, .js in dist. */
export function startWorker(setup: WorkerSetup, itemTimeoutMs: number): PooledWorker {
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  const worker = new Worker(new URL(`./embed-worker.${extension}`, import.meta.url), { workerData: setup });
  const ready = Promise.withResolvers<{ readonly maxAbsError: number }>();
  const lost = Promise.withResolvers<EmbedError>();
  let current: { id: number; finish: (result: EmbedResult) => void } | undefined;
  let nextId = 0;
  let ending = false;
  let isStarted = false;

  function finish(id: number, result: EmbedResult): void {
    if (current?.id !== id) return;
    const { finish: settle } = current;
    current = undefined;
    settle(result);
  }

  function describeEnd(what: string): string {
    return isStarted
      ? `a worker ${what}; it is being replaced, try again`
      : `a worker ${what} before it was ready`;
  }

  /** Settles everything that waits for this worker; later calls change nothing. */
  function end(error: EmbedError): void {
    ready.reject(error);
    if (!ending) lost.resolve(error);
    ending = true;
    if (current) finish(current.id, { ok: false, error });
    void worker.terminate();
  }

  worker.on("message", (message: WorkerMessage) => {
    if (message.kind === "ready") {
      isStarted = true;
      ready.resolve({ maxAbsError: message.maxAbsError });
    } else if (message.kind === "failed") end(EmbedError.fromPlain(message.error));
    else finish(message.id, message.result.ok ? message.result : revive(message.result.error));
  });
  worker.on("error", (cause) => end(new EmbedError("ENGINE_FAILED", describeEnd("failed"), { cause })));
  worker.on("exit", (code) =>
    end(new EmbedError("ENGINE_FAILED", describeEnd(`ended with exit code ${code}`))),
  );
  // Whoever awaits `ready` sees the rejection; a worker that fails later has no one waiting.
  ready.promise.catch(() => undefined);

  return {
    ready: ready.promise,
    lost: lost.promise,
    embed(bytes) {
      return new Promise((resolve) => {
        const id = nextId++;
        const timer = setTimeout(() => {
          end(
            new EmbedError(
              "IMAGE_TOO_SLOW",
              `expected a picture to take at most ${itemTimeoutMs} ms (--item-timeout-ms); its worker is being replaced`,
            ),
          );
        }, itemTimeoutMs);
        current = {
          id,
          finish: (result) => {
            clearTimeout(timer);
            resolve(result);
          },
        };
        const owned = ownBuffer(bytes);
        worker.postMessage({ id, bytes: owned }, [owned.buffer]);
      });
    },
    async terminate() {
      ending = true;
      await worker.terminate();
    },
  };
}

function revive(error: Parameters<typeof EmbedError.fromPlain>[0]): EmbedResult {
  return { ok: false, error: EmbedError.fromPlain(error) };
}

/** A view that owns its whole memory can be transferred; a part of a larger buffer is copied first. */
function ownBuffer(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const owns = bytes.byteLength === bytes.buffer.byteLength && bytes.buffer instanceof ArrayBuffer;
  // Not `slice`: a Buffer's own gives a view of the same memory.
  return owns ? (bytes as Uint8Array<ArrayBuffer>) : new Uint8Array(bytes);
}
