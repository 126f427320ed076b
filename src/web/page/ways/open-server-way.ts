import { createClient, type PorticoClient } from "../../../client/create-client.ts";
import { abortError } from "../../../embed/settle-before.ts";
import { EmbedError } from "../../../errors.ts";
import type { OpenWay, OpenWayContext } from "./open-way.ts";

/** Pictures that are on their way to the server at once: while one is computed, the next one travels. */
const serverConcurrency = 2;

/** How often a server that is still loading its model is asked whether it is ready. */
const askAgainMs = 1_000;

/** A server that accepts calls and never answers is told from one that is busy: a picture takes a second or so. */
const serverTimeoutMs = 120_000;

export interface ServerWayOptions {
  readonly baseUrl: string;
  /** Empty for none. */
  readonly bearerToken: string;
}

/** The way over a server, which is asked who it is until its model is ready. */
export async function openServerWay(
  { baseUrl, bearerToken }: ServerWayOptions,
  { signal, onStatus }: OpenWayContext,
): Promise<OpenWay> {
  onStatus({ kind: "starting" });
  const client = createClient({
    ...{ baseUrl, timeoutMs: serverTimeoutMs },
    ...(bearerToken !== "" && { bearerToken }),
  });
  const engine = await untilReady(client, signal);
  onStatus({ kind: "ready", engine, adapter: "" });
  return {
    concurrency: serverConcurrency,
    async embed(picture, pictureSignal) {
      const { vectorSpace, results } = await client.embed([picture], { signal: pictureSignal });
      const [result] = results;
      if (!result) throw new EmbedError("INTERNAL", "expected one result from the server, got none");
      if (!result.ok) throw result.error;
      return { vector: result.vector, vectorSpace, engine, timings: result.timings };
    },
    close: async () => undefined,
  };
}

/** @returns the name of the engine that runs there */
async function untilReady(client: PorticoClient, signal: AbortSignal): Promise<string> {
  for (;;) {
    const [model] = await client.listModels({ signal });
    if (!model) throw new EmbedError("MODEL_UNKNOWN", "the server has no model");
    if (model.ready) return model.engine;
    await pause(askAgainMs, signal);
  }
}

function pause(durationMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(abortError(signal));
    const onAbort = () => {
      clearTimeout(timer);
      reject(abortError(signal));
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", onAbort);
      resolve();
    }, durationMs);
    signal.addEventListener("abort", onAbort, { once: true });
  });
}
