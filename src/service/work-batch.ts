import type { EmbedFailure } from "../embed/embedder.ts";
import { mapConcurrently } from "../embed/map-concurrently.ts";
import { abortError } from "../embed/settle-before.ts";
import { EmbedError, type ItemFailure } from "../errors.ts";
import { codeByReason } from "./reason-code.ts";

/** Brings the encoded bytes of one picture, or throws an `EmbedError`. */
export type BringBytes = () => Promise<Uint8Array>;

/** What becomes of one picture: what was made of it, or why nothing was. */
export type Outcome<Made> = Made | EmbedFailure;

/** Whoever makes something of pictures, vectors or other pictures, and what one call may ask of it. */
export interface PictureWork<Made extends { readonly ok: true }> {
  /**
   * Waits until it works; it goes on doing so until the function that comes back is called, once or more often.
   * @throws EmbedError why it cannot, or `DEADLINE_EXCEEDED` or `CANCELLED` by the signal
   */
  readonly hold: (signal: AbortSignal) => Promise<() => void>;
  /** Pictures that keep it busy. It may change: ask for it anew. */
  readonly concurrency: number;
  /** Largest number of pictures in one call. */
  readonly maxItems: number;
  /** One picture; never rejects. */
  readonly work: (bytes: Uint8Array, options: { readonly signal: AbortSignal }) => Promise<Outcome<Made>>;
  /** Told what became of each picture, for metrics. */
  readonly onResult?: ((result: Outcome<Made>) => void) | undefined;
}

/**
 * Brings and works on the only picture of a request.
 * @throws EmbedError why it cannot work, or the caller's end
 */
export async function workAlone<Made extends { readonly ok: true }>(
  worker: PictureWork<Made>,
  bring: BringBytes,
  signal: AbortSignal,
): Promise<Outcome<Made>> {
  const letGo = await worker.hold(signal);
  try {
    return await workOne(worker, bring, signal);
  } finally {
    letGo();
  }
}

/** Brings and works on one picture, while it is held; never rejects. */
async function workOne<Made extends { readonly ok: true }>(
  worker: PictureWork<Made>,
  bring: BringBytes,
  signal: AbortSignal,
): Promise<Outcome<Made>> {
  const result = await tryWork(worker, bring, signal);
  worker.onResult?.(result);
  return result;
}

async function tryWork<Made extends { readonly ok: true }>(
  { work }: PictureWork<Made>,
  bring: BringBytes,
  signal: AbortSignal,
): Promise<Outcome<Made>> {
  try {
    if (signal.aborted) throw abortError(signal);
    return await work(await bring(), { signal });
  } catch (error) {
    return { ok: false, error: EmbedError.from(error) };
  }
}

export interface WorkBatchOptions<Made> {
  /** The request's own name of the batch, for messages. */
  readonly list: string;
  readonly signal: AbortSignal;
  /** One failed picture fails the call, so that a server with too much work need not do the others. */
  readonly failsAsOne: boolean;
  /** Told of each picture that succeeded; what it throws ends the whole call. */
  readonly onMade?: ((made: Made) => void) | undefined;
}

/**
 * Works on a batch, in order. Pictures are drawn a few ahead of the workers: more would hold them in memory and
 * make other calls wait.
 * @throws EmbedError `REQUEST_TOO_LARGE` beyond `maxItems`; why it can never be ready, or the caller's end; whatever
 *   `onMade` throws
 */
export async function workBatch<Made extends { readonly ok: true }>(
  worker: PictureWork<Made>,
  batch: readonly BringBytes[],
  { list, signal, failsAsOne, onMade }: WorkBatchOptions<Made>,
): Promise<Outcome<Made>[]> {
  const { maxItems } = worker;
  if (batch.length > maxItems) {
    throw new EmbedError(
      "REQUEST_TOO_LARGE",
      `expected at most ${maxItems} ${list} in one call (--max-items), got ${batch.length}`,
    );
  }
  if (batch.length === 0) return [];
  const letGo = await worker.hold(signal);
  try {
    const refused = new AbortController();
    const either = AbortSignal.any([signal, refused.signal]);
    let ended: EmbedError | undefined;
    const results = await mapConcurrently(batch, aheadOf(worker), async (bring) => {
      const result = await workOne(worker, bring, either);
      try {
        if (result.ok && !ended) onMade?.(result as Made);
      } catch (error) {
        ended = EmbedError.from(error);
        refused.abort(ended);
      }
      // What waits of this batch is dropped with the same error.
      if (failsAsOne && !result.ok && result.error.reason === "OVERLOADED") refused.abort(result.error);
      return result;
    });
    if (ended) throw ended;
    return results;
  } finally {
    letGo();
  }
}

/** How many pictures of one call are under way at once. */
export function aheadOf({ concurrency }: Pick<PictureWork<{ readonly ok: true }>, "concurrency">): number {
  return concurrency * 2;
}

/**
 * One error for a call whose items failed, or undefined if none did. Its detail names every failed item; its
 * reason is the first that a retry may cure, else the first of all.
 */
export function batchError(
  results: readonly Outcome<{ readonly ok: true }>[],
  list: string,
): EmbedError | undefined {
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
