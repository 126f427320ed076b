import type { PreparedImage } from "../../embed/prepare-image.ts";
import { EmbedError } from "../../errors.ts";
import { restartDelayMs } from "./restart-delay.ts";
import { type SupervisedThread, startSupervisedThread } from "./supervised-thread.ts";
import type { CrewEvent } from "./worker-crew.ts";
import { pictureLimits, type WorkerLimits } from "./worker-limits.ts";
import type { DecodeCommand, DecodeMessage, DecodeStart } from "./worker-protocol.ts";

export interface DecodeCrewOptions {
  /** Number of threads, at least 1. */
  readonly threads: number;
  readonly setup: Promise<DecodeStart>;
  readonly limits: WorkerLimits;
  /** A thread whose WebAssembly memory has grown beyond this is replaced after its picture. */
  readonly maxWasmBytes: number;
  /** A thread became free without having had a picture, or one was lost. */
  readonly onChange: () => void;
  readonly onEvent: (event: CrewEvent) => void;
}

/** Threads that make tensors of pictures for an engine elsewhere; one that ends or has grown too much is replaced. */
export interface DecodeCrew {
  /** Threads that have no picture. */
  idle(): number;
  /** Whether there was a thread, and none is left for the moment. */
  isLost(): boolean;
  /** By a thread that has no picture; there must be one. Never rejects. `bytes` stay the caller's. */
  decode(bytes: Uint8Array): Promise<PreparedImage | EmbedError>;
  close(): Promise<void>;
}

type DecodeThread = SupervisedThread<DecodeMessage>;

export function createDecodeCrew(options: DecodeCrewOptions): DecodeCrew {
  const { limits, onEvent, onChange } = options;
  /** Every thread that was started and not ended. */
  const threads = new Set<DecodeThread>();
  /** Those that take pictures. */
  const members = new Set<DecodeThread>();
  const idle: DecodeThread[] = [];
  const restarts = new Set<NodeJS.Timeout>();
  let failedStarts = 0;
  let isLost = false;
  let isClosed = false;

  async function open(): Promise<void> {
    const { codecs, limits: imageLimits, preprocess } = await options.setup;
    if (isClosed) return;
    const thread = startSupervisedThread<DecodeMessage>({
      entry: "decode-worker",
      workerData: { codecs, limits: imageLimits, preprocess } satisfies DecodeStart,
      limits,
    });
    threads.add(thread);
    // One that could not start is lost as well.
    void thread.lost.then((error) => onLost(thread, error));
    thread.ready.then(
      () => join(thread),
      () => undefined,
    );
  }

  function join(thread: DecodeThread): void {
    if (isClosed) return;
    failedStarts = 0;
    isLost = false;
    members.add(thread);
    idle.push(thread);
    onChange();
  }

  function onLost(thread: DecodeThread, error: EmbedError): void {
    threads.delete(thread);
    const failures = leave(thread) ? 0 : failedStarts++;
    isLost = members.size === 0;
    const restartInMs = restartDelayMs(failures);
    onEvent({ kind: "worker-lost", error, restartInMs });
    const timer = setTimeout(() => {
      restarts.delete(timer);
      void open();
    }, restartInMs);
    restarts.add(timer);
    onChange();
  }

  /** Takes no more pictures. @returns whether it did until now */
  function leave(thread: DecodeThread): boolean {
    const place = idle.indexOf(thread);
    if (place >= 0) idle.splice(place, 1);
    return members.delete(thread);
  }

  /** It was lost, or has grown too much, or takes the next picture. */
  function giveBack(thread: DecodeThread): void {
    if (!members.has(thread)) return;
    if (thread.wasmBytes() <= options.maxWasmBytes) {
      idle.push(thread);
      return;
    }
    onEvent({ kind: "worker-outgrown", wasmBytes: thread.wasmBytes() });
    leave(thread);
    threads.delete(thread);
    void thread.terminate();
    void open();
  }

  for (let count = 0; count < options.threads; count++) void open();

  return {
    idle: () => idle.length,
    isLost: () => isLost,
    async decode(bytes) {
      const thread = idle.pop() as DecodeThread;
      // A copy: should the thread end, the picture is still there to be tried again.
      const copy = new Uint8Array(bytes);
      const command: Omit<DecodeCommand, "id"> = { kind: "decode", bytes: copy };
      const answer = await thread.ask(command, [copy.buffer], pictureLimits(limits));
      giveBack(thread);
      if (answer instanceof EmbedError) return answer;
      const { result } = answer;
      return "ok" in result ? EmbedError.fromPlain(result.error) : result;
    },
    async close() {
      isClosed = true;
      for (const timer of restarts) clearTimeout(timer);
      members.clear();
      idle.length = 0;
      await Promise.all([...threads].map((thread) => thread.terminate()));
    },
  };
}
