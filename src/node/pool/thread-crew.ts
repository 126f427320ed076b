import { EmbedError } from "../../errors.ts";
import type { CrewCommand, CrewMessage, PlainEmbedFailure } from "./crew-protocol.ts";
import { restartDelayMs } from "./restart-delay.ts";
import { type SupervisedThread, startSupervisedThread } from "./supervised-thread.ts";
import type { CrewEvent } from "./worker-crew.ts";
import { pictureLimits, type WorkerLimits } from "./worker-limits.ts";

export interface ThreadCrewOptions {
  /** Name of a module beside this file, without its extension. */
  readonly entry: string;
  /** Number of threads, at least 1. */
  readonly threads: number;
  /** What each is started with; shared, not moved. */
  readonly workerData: Promise<object>;
  readonly limits: WorkerLimits;
  /** A thread whose WebAssembly memory has grown beyond this is replaced after its picture. */
  readonly maxWasmBytes: number;
  /** A thread became free without having had a picture, or one was lost. */
  readonly onChange: () => void;
  readonly onEvent: (event: CrewEvent) => void;
}

/** Threads that take one picture at a time and need no engine; one that ends or has grown too much is replaced. */
export interface ThreadCrew<Made extends object, Told = undefined> {
  /** What the first thread tells when it is ready; rejects if the first one that ends was never ready, or by `close`. */
  readonly first: Promise<Told>;
  /** Threads that are ready and live. */
  size(): number;
  /** Threads that have no picture. */
  idle(): number;
  /** Whether there was a thread, and none is left for the moment. */
  isLost(): boolean;
  /**
   * Asks a thread that has no picture; there must be one. Never rejects. `bytes` stay the caller's.
   * @returns what was made of the picture, or why there will be none
   */
  ask(bytes: Uint8Array): Promise<Made | EmbedError>;
  close(): Promise<void>;
}

export function createThreadCrew<Made extends object, Told = undefined>(
  options: ThreadCrewOptions,
): ThreadCrew<Made, Told> {
  type Thread = SupervisedThread<CrewMessage<Made, Told>>;
  const { limits, onEvent, onChange } = options;
  const first = Promise.withResolvers<Told>();
  // Not everybody asks.
  first.promise.catch(() => undefined);
  /** Every thread that was started and not ended. */
  const threads = new Set<Thread>();
  /** Those that take pictures. */
  const members = new Set<Thread>();
  const idle: Thread[] = [];
  const restarts = new Set<NodeJS.Timeout>();
  let failedStarts = 0;
  let isLost = false;
  let isClosed = false;

  async function open(): Promise<void> {
    const workerData = await options.workerData;
    if (isClosed) return;
    const thread = startSupervisedThread<CrewMessage<Made, Told>>({
      entry: options.entry,
      workerData,
      limits,
    });
    threads.add(thread);
    // One that could not start is lost as well.
    void thread.lost.then((error) => onLost(thread, error));
    thread.ready.then(
      (ready) => {
        first.resolve(ready.told);
        join(thread);
      },
      () => undefined,
    );
  }

  function join(thread: Thread): void {
    if (isClosed) return;
    failedStarts = 0;
    isLost = false;
    members.add(thread);
    idle.push(thread);
    onChange();
  }

  function onLost(thread: Thread, error: EmbedError): void {
    threads.delete(thread);
    first.reject(error);
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
  function leave(thread: Thread): boolean {
    const place = idle.indexOf(thread);
    if (place >= 0) idle.splice(place, 1);
    return members.delete(thread);
  }

  /** It was lost, or has grown too much, or takes the next picture. */
  function giveBack(thread: Thread): void {
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
    first: first.promise,
    size: () => members.size,
    idle: () => idle.length,
    isLost: () => isLost,
    async ask(bytes) {
      const thread = idle.pop() as Thread;
      // A copy: should the thread end, the picture is still there to be tried again.
      const copy = new Uint8Array(bytes);
      const command: Omit<CrewCommand, "id"> = { bytes: copy };
      const answer = await thread.ask(command, [copy.buffer], pictureLimits(limits));
      giveBack(thread);
      if (answer instanceof EmbedError) return answer;
      const { result } = answer;
      return isFailure(result) ? EmbedError.fromPlain(result.error) : result;
    },
    async close() {
      isClosed = true;
      first.reject(new EmbedError("SHUTTING_DOWN", "the workers were ended before one was ready"));
      for (const timer of restarts) clearTimeout(timer);
      members.clear();
      idle.length = 0;
      await Promise.all([...threads].map((thread) => thread.terminate()));
    },
  };
}

function isFailure(result: object): result is PlainEmbedFailure {
  return "ok" in result && result.ok === false;
}
