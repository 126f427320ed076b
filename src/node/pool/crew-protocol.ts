import type { PlainEmbedError } from "../../errors.ts";

/** What the main thread and the threads of a crew say to each other; an `EmbedError` travels as plain data. */

/** To a thread: one picture; `bytes` is transferred. */
export interface CrewCommand {
  readonly id: number;
  readonly bytes: Uint8Array;
}

/**
 * Of a thread: what it made of a picture, which is transferred.
 * @typeParam Told what it says of itself when it is ready
 */
export type CrewMessage<Made extends object, Told = undefined> =
  | { readonly kind: "ready"; readonly told: Told; readonly wasmBytes: number }
  | { readonly kind: "failed"; readonly error: PlainEmbedError }
  | {
      readonly kind: "result";
      /** Of the command that it answers. */
      readonly id: number;
      readonly result: Made | PlainEmbedFailure;
      /** WebAssembly memory of the thread after this; it never shrinks. */
      readonly wasmBytes: number;
    };

export interface PlainEmbedFailure {
  readonly ok: false;
  readonly error: PlainEmbedError;
}
