import { EmbedError } from "../../errors.ts";
import { align } from "./arena.ts";
import { planModel, type SimdPlan } from "./plan.ts";
import { readOnnxGraph } from "./read-onnx-graph.ts";
import { unsupported } from "./unsupported.ts";

/** A model in memory that threads share: its weights once, and room for each thread behind them. */
export interface PackedModel {
  readonly plan: SimdPlan;
  /** Shared; what it holds besides the weights belongs to whoever has the seat. */
  readonly memory: WebAssembly.Memory;
}

/** Where one thread works. */
export interface Seat {
  readonly arena: number;
  readonly scratch: number;
}

const pageBytes = 65_536;
/** WebAssembly's own bound, 4 GiB, and what the kernels' import says. */
const mostPages = 65_536;
/** Address of the weights. Nothing lies at address 0, which stands for "none". */
export const weightsAddress = 1024;

/**
 * Plans a model and packs its weights.
 * @throws EmbedError `MODEL_CORRUPT`, `ENGINE_UNSUPPORTED`
 */
export function packModel(onnx: Uint8Array): PackedModel {
  const { plan, weights } = planModel(readOnnxGraph(onnx));
  const pages = pagesOf(seatAddress(plan, 1));
  if (pages > mostPages) throw tooLarge(plan);
  let memory: WebAssembly.Memory;
  try {
    memory = new WebAssembly.Memory({ initial: pages, maximum: mostPages, shared: true });
  } catch (cause) {
    throw tooLarge(plan, cause);
  }
  weights.writeTo(memory.buffer, weightsAddress);
  return { plan, memory };
}

/**
 * Makes room for the thread with this number; numbers are small, and each has one thread at a time.
 * @throws EmbedError `ENGINE_UNSUPPORTED` if there is none
 */
export function openSeat({ plan, memory }: PackedModel, number: number): Seat {
  const arena = seatAddress(plan, number);
  const bytes = memory.buffer.byteLength;
  const missing = pagesOf(seatAddress(plan, number + 1)) - bytes / pageBytes;
  try {
    if (missing > 0) memory.grow(missing);
  } catch (cause) {
    const message = `simd: expected ${missing * pageBytes} bytes of memory for thread ${number + 1}, beside ${bytes} for the weights and the threads before it, got none`;
    throw new EmbedError("ENGINE_UNSUPPORTED", message, { cause });
  }
  return { arena, scratch: arena + plan.arenaBytes };
}

/** What each thread adds to the memory. */
export const seatBytes = ({ arenaBytes, scratchBytes }: SimdPlan) => align(arenaBytes + scratchBytes);

/** Bytes of memory of a model that so many threads share. */
export const packedBytes = (plan: SimdPlan, threads: number) =>
  pagesOf(seatAddress(plan, threads)) * pageBytes;

const seatAddress = (plan: SimdPlan, number: number) =>
  align(weightsAddress + plan.weightBytes) + number * seatBytes(plan);

const pagesOf = (bytes: number) => Math.ceil(bytes / pageBytes);

function tooLarge({ weightBytes, arenaBytes, scratchBytes }: SimdPlan, cause?: unknown): EmbedError {
  const message = `expected weights of ${weightBytes} bytes, and ${arenaBytes + scratchBytes} for each thread, to fit into memory`;
  return cause === undefined
    ? unsupported(message)
    : new EmbedError("ENGINE_UNSUPPORTED", `simd: ${message}`, { cause });
}
