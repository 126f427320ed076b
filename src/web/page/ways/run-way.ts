import { EmbedError } from "../../../errors.ts";
import type { PageState, Picture } from "../state/page-state.ts";
import type { Store } from "../state/store.ts";
import type { WayName } from "../state/way-names.ts";
import type { OpenWay, OpenWayFunction } from "./open-way.ts";
import { faultsInRowMax, isWayFault } from "./way-faults.ts";

/** A way that is switched on: it opens, and then takes one picture after the other from the state. */
export interface RunningWay {
  /** To be called after every change of the state. */
  pump(): void;
  /** Drops what it works on. */
  stop(): void;
}

export interface RunWayOptions {
  readonly name: WayName;
  readonly open: OpenWayFunction;
  readonly store: Store;
  /** The file of a picture that is in the state. */
  readonly fileOf: (id: number) => Blob | undefined;
}

/** The next picture that a way has not begun with: one that can be read, or of which that is not known. */
function nextPicture({ pictures }: PageState, way: WayName): Picture | undefined {
  return pictures.find(
    ({ preview, outcomes }) =>
      outcomes[way] === undefined && (preview.kind === "ready" || preview.kind === "unavailable"),
  );
}

/** Opens a way and runs it until it is stopped or fails; what becomes of it is in the state. */
export function runWay({ name, open, store, fileOf }: RunWayOptions): RunningWay {
  const stopped = new AbortController();
  const working = new Map<number, AbortController>();
  let opened: OpenWay | undefined;
  let faultsInRow = 0;

  async function start(): Promise<void> {
    try {
      const way = await open({
        signal: stopped.signal,
        onStatus: (status) => {
          if (!stopped.signal.aborted) store.dispatch({ kind: "way-status", way: name, status });
        },
        onNotKept: (why) => {
          if (!stopped.signal.aborted) store.dispatch({ kind: "way-not-kept", way: name, why });
        },
        onReplaced: (why) => {
          if (!stopped.signal.aborted) store.dispatch({ kind: "way-replaced", way: name, why });
        },
      });
      if (stopped.signal.aborted) return await way.close();
      opened = way;
      pump();
    } catch (cause) {
      fail(EmbedError.from(cause, "INTERNAL", String(cause)));
    }
  }

  function fail(error: EmbedError): void {
    if (stopped.signal.aborted) return;
    store.dispatch({ kind: "way-status", way: name, status: { kind: "failed", error: error.toPlain() } });
  }

  function pump(): void {
    const { pictures } = store.get();
    for (const [id, controller] of working) {
      if (!pictures.some((picture) => picture.id === id)) controller.abort();
    }
    while (opened && working.size < opened.concurrency) {
      const picture = nextPicture(store.get(), name);
      const file = picture && fileOf(picture.id);
      if (!picture || !file) return;
      void embed(opened, picture.id, file);
    }
  }

  async function embed(way: OpenWay, id: number, file: Blob): Promise<void> {
    const controller = new AbortController();
    working.set(id, controller);
    const startMs = performance.now();
    const answering = way.embed(file, AbortSignal.any([controller.signal, stopped.signal]));
    // After the call: whoever hears of it may begin with the next picture.
    store.dispatch({ kind: "outcome", id, way: name, outcome: { kind: "working" } });
    try {
      const answer = await answering;
      if (stopped.signal.aborted) return;
      const totalMs = performance.now() - startMs;
      store.dispatch({ kind: "outcome", id, way: name, outcome: { kind: "done", ...answer, totalMs } });
      faultsInRow = 0;
    } catch (cause) {
      if (stopped.signal.aborted) return;
      const error = EmbedError.from(cause, "INTERNAL", String(cause));
      if (opened !== way && !isWayFault(name, error.reason)) {
        // It ended with the way, through no fault of its own: it is asked for with the way again.
        store.dispatch({ kind: "outcome-forgotten", id, way: name });
        return;
      }
      const outcome = { kind: "failed", error: error.toPlain() } as const;
      store.dispatch({ kind: "outcome", id, way: name, outcome });
      // Several pictures may learn of the same fault; the first one deals with it.
      if (isWayFault(name, error.reason) && opened === way) countFault(way, error);
    } finally {
      working.delete(id);
    }
    pump();
  }

  function countFault(way: OpenWay, error: EmbedError): void {
    if (++faultsInRow < faultsInRowMax[name]) return;
    opened = undefined;
    void way.close();
    fail(error);
  }

  void start();
  return {
    pump,
    stop() {
      stopped.abort();
      void opened?.close();
      opened = undefined;
      for (const id of working.keys()) store.dispatch({ kind: "outcome-forgotten", id, way: name });
    },
  };
}
