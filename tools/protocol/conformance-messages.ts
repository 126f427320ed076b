import type { Message } from "@bufbuild/protobuf";
import type { Any } from "@bufbuild/protobuf/wkt";

/** The messages of the suite as far as the server reads or writes them; the suite's protos explain them. */

export interface NamedValues {
  readonly name: string;
  readonly value: readonly string[];
}

export interface ErrorDefinition {
  readonly code: number;
  readonly message?: string;
  readonly details: readonly Any[];
}

interface ResponseDefinition {
  readonly responseHeaders: readonly NamedValues[];
  readonly responseTrailers: readonly NamedValues[];
  readonly responseDelayMs: number;
}

export interface UnaryDefinition extends ResponseDefinition {
  readonly response:
    | { readonly case: "responseData"; readonly value: Uint8Array }
    | { readonly case: "error"; readonly value: ErrorDefinition }
    | { readonly case: undefined };
}

export interface StreamDefinition extends ResponseDefinition {
  readonly responseData: readonly Uint8Array[];
  readonly error?: ErrorDefinition;
}

export interface UnaryRequest extends Message {
  readonly responseDefinition?: UnaryDefinition;
}

export interface StreamRequest extends Message {
  readonly responseDefinition?: StreamDefinition;
  /** Of the bidirectional stream only. */
  readonly fullDuplex?: boolean;
}

export interface RequestInfo {
  readonly requestHeaders?: readonly NamedValues[];
  readonly timeoutMs?: bigint;
  readonly requests: readonly Any[];
  readonly connectGetInfo?: { readonly queryParams: readonly NamedValues[] };
}

/** Every response of the suite. */
export interface PayloadResponse {
  readonly payload: { readonly data?: Uint8Array; readonly requestInfo?: RequestInfo };
}

export interface ServerCompatRequest extends Message {
  /** Largest request message in bytes; 0: no limit. */
  readonly messageReceiveLimit: number;
}
