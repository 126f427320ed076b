import { abortError } from "../embed/settle-before.ts";
import { EmbedError, type Reason } from "../errors.ts";

export interface FetchFileOptions {
  readonly signal?: AbortSignal | undefined;
  /** Why it failed, for the error. */
  readonly reason: Reason;
  /** Expected size, if it is known. */
  readonly bytes?: number;
  /** Sent with the request. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Whether the browser's own cache may answer, and keep it. Default: yes. */
  readonly isCacheable?: boolean;
  readonly onProgress?: (receivedBytes: number) => void;
}

/**
 * Fetches a file as a whole.
 * @throws EmbedError `reason` if it cannot be fetched, `MODEL_CORRUPT` if its size is not the expected one, `CANCELLED`
 *   or `DEADLINE_EXCEEDED` by the signal
 */
export async function fetchFile(
  url: string | URL,
  { signal, reason, bytes: expected, headers, isCacheable = true, onProgress }: FetchFileOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const name = String(url).slice(0, 200);
  let received = 0;
  try {
    const reply = await fetch(url, {
      ...(signal && { signal }),
      ...(headers && { headers }),
      cache: isCacheable ? "default" : "no-store",
    });
    if (!reply.ok) {
      const detail = { httpStatus: reply.status };
      throw new EmbedError(reason, `${name}: expected HTTP status 200, got ${reply.status}`, { detail });
    }
    const file = new GrowingBytes(expected ?? 0);
    const reader = reply.body?.getReader();
    for (let piece = await reader?.read(); piece && !piece.done; piece = await reader?.read()) {
      received += piece.value.length;
      if (expected !== undefined && received > expected) {
        await reader?.cancel();
        break;
      }
      file.add(piece.value);
      onProgress?.(received);
    }
    if (expected === undefined || received === expected) return file.whole();
  } catch (cause) {
    if (signal?.aborted) throw abortError(signal);
    if (cause instanceof EmbedError) throw cause;
    throw new EmbedError(reason, `${name} cannot be fetched: ${String(cause)}`, { cause });
  }
  const got = received > expected ? "more" : `${received}`;
  throw new EmbedError("MODEL_CORRUPT", `${name}: expected ${expected} bytes, got ${got}`);
}

/** Pieces in one place: with a known size a hundred megabytes are held once, not twice. */
class GrowingBytes {
  #bytes: Uint8Array<ArrayBuffer>;
  #length = 0;

  constructor(expected: number) {
    this.#bytes = new Uint8Array(expected);
  }

  add(piece: Uint8Array): void {
    const needed = this.#length + piece.length;
    if (needed > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(needed, 2 * this.#bytes.length));
      larger.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = larger;
    }
    this.#bytes.set(piece, this.#length);
    this.#length = needed;
  }

  whole(): Uint8Array<ArrayBuffer> {
    return this.#length === this.#bytes.length ? this.#bytes : this.#bytes.slice(0, this.#length);
  }
}
