import { EmbedError } from "../errors.ts";
import { checkLimits } from "../image/check-limits.ts";
import type { DecodeImage, ImageLimits, Pixels } from "../image/pixels.ts";
import { readHeader } from "../image/read-header.ts";
import { type Deflate, writePng } from "../image/write-png.ts";
import { encodeBase64 } from "./encode-base64.ts";
import type { Now } from "./host.ts";
import type { Processor, ProcessorOutput, ProcessResult } from "./processor.ts";

/** One picture from encoded bytes to what a processor makes of it; never rejects. Calls must not overlap. */
export type ProcessPicture = (bytes: Uint8Array) => Promise<ProcessResult>;

export interface ProcessorLimits extends ImageLimits {
  /** Largest sum of the encoded pictures made of one, in bytes: the next operator takes no larger picture. */
  readonly maxImageBytes: number;
}

export interface ProcessStages {
  readonly processor: Processor;
  readonly decode: DecodeImage;
  readonly limits: ProcessorLimits;
  readonly deflate: Deflate;
  readonly now: Now;
}

/** Pictures made of one; a page of faces has some dozens. */
export const maxOutputs = 1000;

/** What is told of an error that a processor throws. */
const toldMessageMaxLength = 500;

/** Composes the stages header -> processor (which may decode) -> PNG -> base64 in this process. */
export function createProcessPicture(stages: ProcessStages): ProcessPicture {
  const { now } = stages;
  return async (bytes) => {
    const start = now();
    try {
      const files = await makeFiles(bytes, stages);
      return { ok: true, images: files.map(encodeBase64), processMs: now() - start };
    } catch (error) {
      return { ok: false, error: EmbedError.from(error) };
    }
  };
}

async function makeFiles(bytes: Uint8Array, stages: ProcessStages): Promise<readonly Uint8Array[]> {
  const { processor, limits, deflate } = stages;
  const outputs = await runProcessor(bytes, stages);
  if (!Array.isArray(outputs)) throw badOutput(processor, "an array of pictures", describe(outputs));
  if (outputs.length > maxOutputs) {
    throw badOutput(processor, `at most ${maxOutputs} pictures of one`, String(outputs.length));
  }
  const files: Uint8Array[] = [];
  let total = 0;
  for (const [index, output] of outputs.entries()) {
    checkOutput(processor, output, index, limits);
    const file = output instanceof Uint8Array ? output : await writePng(output, deflate);
    total += file.length;
    if (total > limits.maxImageBytes) {
      const most = `at most ${limits.maxImageBytes} bytes of pictures of one (--max-image-bytes)`;
      throw badOutput(processor, most, `${total} with picture ${index}`);
    }
    files.push(file);
  }
  return files;
}

/** What the processor gives, whatever it is. */
async function runProcessor(
  bytes: Uint8Array,
  { processor, decode, limits }: ProcessStages,
): Promise<unknown> {
  const header = readHeader(bytes);
  checkLimits(header, limits, bytes.length);
  const { format, width, height } = header;
  let pixels: Promise<Pixels> | undefined;
  const input = {
    ...{ bytes, format, width, height },
    decode() {
      if (!pixels) {
        pixels = decode(bytes).then((decoded) => decoded.pixels);
        // A processor that does not wait for it would end its thread by a rejection that nobody sees.
        pixels.catch(() => undefined);
      }
      return pixels;
    },
  };
  try {
    return await processor.process(input);
  } catch (error) {
    if (error instanceof EmbedError) throw error;
    const told = (error instanceof Error ? error.message : String(error)).slice(0, toldMessageMaxLength);
    throw new EmbedError(
      "PROCESSOR_FAILED",
      `the processor ${processor.name} failed: ${told.toWellFormed()}`,
      {
        cause: error instanceof Error ? (error.stack ?? error.message) : error,
      },
    );
  }
}

function checkOutput(
  processor: Processor,
  output: ProcessorOutput | undefined,
  index: number,
  { maxPixels }: ProcessorLimits,
): void {
  if (output instanceof Uint8Array) {
    if (output.length === 0) throw badOutput(processor, `bytes of picture ${index}`, "none");
    return;
  }
  const { width = 0, height = 0, data } = output ?? {};
  const isSized = Number.isSafeInteger(width) && Number.isSafeInteger(height) && width > 0 && height > 0;
  const isRgb = data instanceof Uint8Array || (data as unknown) instanceof Uint8ClampedArray;
  if (!isSized || !isRgb || data?.length !== width * height * 3) {
    const got = isSized && isRgb ? `${width} x ${height} with ${data?.length} bytes` : describe(output);
    throw badOutput(
      processor,
      `picture ${index} as Uint8Array of a file, or {width, height, data} with width x height x 3 bytes`,
      got,
    );
  }
  if (width * height > maxPixels) {
    const most = `at most ${maxPixels} pixels (--max-pixels) of picture ${index}`;
    throw badOutput(processor, most, `${width} x ${height} = ${width * height}`);
  }
}

function badOutput({ name }: Processor, expected: string, got: string): EmbedError {
  return new EmbedError("PROCESSOR_FAILED", `expected of the processor ${name} ${expected}, got ${got}`);
}

function describe(value: unknown): string {
  if (typeof value !== "object" || value === null) return value === null ? "null" : typeof value;
  return value.constructor?.name ?? "an object";
}
