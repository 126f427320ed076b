import { AsyncLocalStorage } from "node:async_hooks";
import type { KnownPath } from "../http/known-path.ts";
import type { Protocol } from "./answer-code.ts";
import type { TraceContext } from "./trace-context.ts";

/** Where one picture of a request spent its time; ends when its result is known. */
export interface ItemTimes {
  /** Unix time in milliseconds. */
  readonly endedAt: number;
  /** Milliseconds by stage, in the order of work; a stage that never ran is missing. */
  readonly stages: readonly (readonly [stage: Stage, ms: number])[];
}

export const stages = ["fetch", "queue", "decode", "preprocess", "infer", "process"] as const;
export type Stage = (typeof stages)[number];

/**
 * What is known of one HTTP request while it is worked on; complete when it ends. Metrics, the access log and
 * traces are all made from it, so that they never disagree.
 */
export interface RequestRecord {
  readonly requestId: string;
  readonly trace: TraceContext;
  readonly httpVersion: "1.1" | "2";
  /** The client's address, as the socket has it. */
  readonly peer: string;
  /** Unix time in milliseconds. */
  readonly startedAt: number;
  /** `package.Service/Method` of a method that is served; undefined for anything else. */
  method: string | undefined;
  /** Of a page that there is, from a closed list; undefined for anything else, whatever the client asked for. */
  readonly path: KnownPath | undefined;
  /** The protocol of the client, whether or not its method is served. */
  protocol: Protocol | undefined;
  /** The code that the client was told; undefined where the answer is no RPC's. */
  code: string | undefined;
  /** HTTP status; undefined if the client left before there was one. */
  status: number | undefined;
  /** The answer has ended or its client has left: what comes later was told to nobody. */
  isOver: boolean;
  /** From the request's headers to the end of the answer. */
  ms: number;
  /** Pictures with a result. */
  items: number;
  /** Of the bodies, compressed as they travel, without headers; what was thrown away unread is not counted. */
  bytesIn: number;
  bytesOut: number;
  /** The first pictures' times, for a trace. */
  readonly itemTimes: ItemTimes[];
}

const store = new AsyncLocalStorage<RequestRecord>();

/** The request that this code works for; undefined outside of any. */
export function currentRequest(): RequestRecord | undefined {
  return store.getStore();
}

/** Runs `work`, and everything that it starts, for this request. */
export function runForRequest<T>(record: RequestRecord, work: () => T): T {
  return store.run(record, work);
}
