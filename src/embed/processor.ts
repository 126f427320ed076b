import type { ImageFormat, Pixels } from "../image/pixels.ts";
import type { EmbedFailure, EmbedOptions } from "./embedder.ts";

/** A picture as a processor gets it. */
export interface ProcessorInput {
  /** The encoded file, as its caller sent it; the processor's own. */
  readonly bytes: Uint8Array;
  /** Told by the first bytes. */
  readonly format: ImageFormat;
  /** Pixels, as the header says. */
  readonly width: number;
  readonly height: number;
  /**
   * Decodes the picture: (height, width, 3) uint8 RGB, the pixels that Keras sees.
   * @throws EmbedError (as a rejection) `IMAGE_CORRUPT` or `IMAGE_UNSUPPORTED`; let it pass, and the item fails with it
   */
  decode(): Promise<Pixels>;
}

/** A picture that a processor gives: pixels, which are then written as PNG, or an encoded file, which is sent as it is. */
export type ProcessorOutput = Pixels | Uint8Array;

/**
 * An operator of type `processor`: pictures of a picture. A module for `portico serve --processor` has one as its default
 * export. It works on one picture at a time in each worker thread.
 */
export interface Processor {
  /** What Identity tells: 1 to 64 letters, digits, `.`, `_` and `-`. */
  readonly name: string;
  /**
   * The pictures made of one, in order; there may be none. Whatever it throws fails that picture, and its message is told to
   * the caller.
   */
  process(picture: ProcessorInput): readonly ProcessorOutput[] | Promise<readonly ProcessorOutput[]>;
}

/** What was made of one picture. */
export interface Processed {
  readonly ok: true;
  /** The base64 text of each encoded picture as bytes, as the contract's metadata has it. */
  readonly images: readonly Uint8Array[];
  /** Wall-clock time in the worker, in milliseconds. */
  readonly processMs: number;
}

export type ProcessResult = Processed | EmbedFailure;

/** Encoded bytes in, the result of a processor out; what a server has of it. */
export interface ProcessorHost {
  /** Number of pictures that are worked on at once, at least 1. */
  readonly concurrency: number;
  /** Resolves once a worker has loaded the processor; rejects if none can. */
  readonly ready: Promise<void>;
  isReady(): boolean;
  /** Never rejects. `bytes` may be transferred to a worker: the caller must not read it afterwards. */
  process(bytes: Uint8Array, options?: EmbedOptions): Promise<ProcessResult>;
  dispose(): Promise<void>;
}
