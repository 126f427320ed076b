import { Code, ConnectError } from "@connectrpc/connect";
import { compareVectors } from "../../src/embed/compare-vectors.ts";
import type { SelfCheck } from "../../src/embed/self-check.ts";
import { operatorOverGrpcJs } from "./operator-over-grpc-js.ts";

/** What became of all calls. */
export interface CallCounts {
  /** Every vector was the golden one of its own picture. */
  right: number;
  /** Failed as a whole, with an error that says that a retry may succeed. */
  retryable: number;
  /** Anything else, in words: a wrong or shifted vector, another error, no answer in time. */
  readonly defects: string[];
  longestMs: number;
}

export interface FaultLoad {
  /** HOST:PORT */
  readonly address: string;
  readonly pictures: readonly SelfCheck[];
  /** Callers at once, each with a connection of its own and one call at a time. */
  readonly callers: number;
  readonly seconds: number;
  /** Calls go on beyond that, for a minute at most, until this holds. Default: they do not. */
  readonly isEnough?: (counts: CallCounts) => boolean;
}

/** A call that takes longer hangs. */
const hangMs = 60_000;

/** Longest time that is added until enough has been seen. */
const moreMs = 60_000;

/** Calls Execute with one to three different pictures, over and over, and judges every answer. */
export async function callUnderFaults(load: FaultLoad): Promise<CallCounts> {
  const counts: CallCounts = { right: 0, retryable: 0, defects: [], longestMs: 0 };
  const until = performance.now() + load.seconds * 1_000;
  const goesOn = () => {
    const now = performance.now();
    return now < until || (now < until + moreMs && load.isEnough?.(counts) === false);
  };

  async function callOver(caller: number): Promise<void> {
    const client = operatorOverGrpcJs(load.address);
    for (let round = caller; goesOn(); round++) {
      const batch = Array.from(
        { length: 1 + (round % 3) },
        (_, place) => load.pictures[(round + place) % load.pictures.length]!,
      );
      const startedAt = performance.now();
      const datas = batch.map(({ bytes }) => Buffer.from(bytes).toString("base64"));
      const call = client.execute({ datas }).then(({ vectors }) => judge(vectors, batch), judgeError);
      const outcome = await Promise.race([call, hang()]);
      counts.longestMs = Math.max(counts.longestMs, performance.now() - startedAt);
      if (outcome === "right" || outcome === "retryable") counts[outcome] += 1;
      else counts.defects.push(outcome);
    }
    client.close();
  }

  await Promise.all(Array.from({ length: load.callers }, (_, caller) => callOver(caller)));
  return counts;
}

function judge(vectors: readonly { readonly element: number[] }[], batch: readonly SelfCheck[]): string {
  if (vectors.length !== batch.length) return `${vectors.length} vectors for ${batch.length} pictures`;
  for (const [index, { vector, tolerance, name }] of batch.entries()) {
    const { maxAbsError } = compareVectors(Float32Array.from(vectors[index]?.element ?? []), vector);
    if (!(maxAbsError <= tolerance)) return `${name} at ${index} is off by ${maxAbsError}`;
  }
  return "right";
}

/** What says that a retry may succeed: the code, and why. */
function judgeError(error: unknown): string {
  const { code, rawMessage } = ConnectError.from(error);
  const isRetryable = code === Code.Unavailable && /^(ENGINE_FAILED|NOT_READY): .*try again/.test(rawMessage);
  return isRetryable ? "retryable" : `${Code[code]}: ${rawMessage}`;
}

async function hang(): Promise<string> {
  await new Promise((resolve) => setTimeout(resolve, hangMs).unref());
  return `no answer for ${hangMs} ms`;
}
