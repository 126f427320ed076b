import type { PreparedImage } from "../../embed/prepare-image.ts";
import type { EmbedError } from "../../errors.ts";
import { createThreadCrew, type ThreadCrew, type ThreadCrewOptions } from "./thread-crew.ts";
import type { DecodeStart } from "./worker-protocol.ts";

export interface DecodeCrewOptions extends Omit<ThreadCrewOptions, "entry" | "workerData"> {
  readonly setup: Promise<DecodeStart>;
}

/** Threads that make tensors of pictures for an engine elsewhere; one that ends or has grown too much is replaced. */
export interface DecodeCrew extends Pick<ThreadCrew<PreparedImage>, "idle" | "isLost" | "close"> {
  /** By a thread that has no picture; there must be one. Never rejects. `bytes` stay the caller's. */
  decode(bytes: Uint8Array): Promise<PreparedImage | EmbedError>;
}

export function createDecodeCrew({ setup, ...options }: DecodeCrewOptions): DecodeCrew {
  const workerData = setup.then(
    ({ codecs, limits, preprocess }): DecodeStart => ({ codecs, limits, preprocess }),
  );
  const crew = createThreadCrew<PreparedImage>({ ...options, entry: "decode-worker", workerData });
  return { ...crew, decode: crew.ask };
}
