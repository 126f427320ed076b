import type { Embedder, EmbedResult } from "../embed/embedder.ts";
import { mapConcurrently } from "../embed/map-concurrently.ts";
import { abortError, settleBefore } from "../embed/settle-before.ts";
import { EmbedError, type ItemFailure } from "../errors.ts";
import { codeByReason } from "./reason-code.ts";
import type { ServedModel } from "./served-model.ts";

/** Brings the encoded bytes of one picture, or throws an `EmbedError`. */
export type BringBytes = () => Promise<Uint8Array>;

/** Brings and embeds one picture; never rejects. */
export async function embedOne(
  model: ServedModel,
  bring: BringBytes,
  signal: AbortSignal,
): Promise<EmbedResult> {
  const result = await tryEmbed(model.embedder, bring, signal);
  model.onResult?.(result);
  return result;
}

async function tryEmbed(embedder: Embedder, bring: BringBytes, signal: AbortSignal): Promise<EmbedResult> {
  try {
    if (signal.aborted) throw abortError(signal);
    return await embedder.embed(await bring(), { signal });
  } catch (error) {
    return { ok: false, error: EmbedError.from(error) };
  }
}

export interface EmbedBatchOptions {
  /** The request's own name of the batch, for messages. */
  readonly list: string;
  readonly signal: AbortSignal;
  /** One failed picture fails the call, so that a server with too much work need not do the others. */
  readonly failsAsOne: boolean;
}

/**
 * Embeds a batch, in order. Pictures are drawn a few ahead of the workers: more would hold them in memory and
 * make other calls wait.
 * @throws EmbedError `REQUEST_TOO_LARGE` beyond the model's `maxItems`; why the model cannot be had, or the caller's end
 */
export async function embedBatch(
  model: ServedModel,
  batch: readonly BringBytes[],
  { list, signal, failsAsOne }: EmbedBatchOptions,
): Promise<EmbedResult[]> {
  const { embedder } = model;
  const { maxItems } = model.limits;
  if (batch.length > maxItems) {
    throw new EmbedError(
      "REQUEST_TOO_LARGE",
      `expected at most ${maxItems} ${list} in one call (--max-items), got ${batch.length}`,
    );
  }
  if (batch.length === 0) return [];
  await settleBefore(embedder.ready, signal);
  const refused = new AbortController();
  const either = AbortSignal.any([signal, refused.signal]);
  return mapConcurrently(batch, aheadOf(embedder), async (bring) => {
    const result = await embedOne(model, bring, either);
    // What waits of this batch is dropped with the same error.
    if (failsAsOne && !result.ok && result.error.reason === "OVERLOADED") refused.abort(result.error);
    return result;
  });
}

/** How many pictures of one call are under way at once. */
export function aheadOf(embedder: Embedder): number {
  return embedder.concurrency * 2;
}

/**
 * One error for a call whose items failed, or undefined if none did. Its detail names every failed item; its
 * reason is the first that a retry may cure, else the first of all.
 */
export function batchError(results: readonly EmbedResult[], list: string): EmbedError | undefined {
  const items: ItemFailure[] = [];
  for (const [index, result] of results.entries()) {
    if (!result.ok) items.push(toItemFailure(result.error, index));
  }
  const first = items[0];
  if (!first) return undefined;
  const decisive = items.find(({ reason }) => codeByReason[reason] !== codeByReason.REQUEST_INVALID) ?? first;
  return new EmbedError(decisive.reason, describeFailures(items, results.length, list), {
    detail: { items },
  });
}

/** What is told of one failed picture, in a call's error or as the picture's own result. */
export function toItemFailure({ reason, message, detail }: EmbedError, index: number): ItemFailure {
  const httpStatus = detail?.httpStatus;
  return { index, reason, message, ...(httpStatus !== undefined && { httpStatus }) };
}

/** The first few failures in words; the error detail names all of them. */
function describeFailures(items: readonly ItemFailure[], count: number, list: string): string {
  const shown = items
    .slice(0, 3)
    .map(({ index, reason, message }) => `${list}[${index}] ${reason}: ${message}`);
  const more = items.length > shown.length ? `; and ${items.length - shown.length} more` : "";
  return `${items.length} of ${count} items failed: ${shown.join("; ")}${more}`;
}
