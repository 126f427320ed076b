/** Whether the server takes work, for whoever wants to follow it. */
export interface Readiness {
  current(): boolean;
  /** Whether the server stops: it is not ready now, and will not be again. */
  isEnded(): boolean;
  /** Calls `listener` after every change, until the returned function is called; that may be more than once. */
  onChange(listener: () => void): () => void;
}

export interface SettableReadiness extends Readiness {
  set(isReady: boolean): void;
  /** The server stops: not ready from now on, whatever is set. */
  end(): void;
}

/** Not ready until it is set. */
export function createReadiness(): SettableReadiness {
  const listeners = new Set<() => void>();
  let isReady = false;
  let isEnded = false;

  function set(next: boolean): void {
    if (next === isReady || isEnded) return;
    isReady = next;
    for (const listener of listeners) listener();
  }

  return {
    current: () => isReady,
    isEnded: () => isEnded,
    onChange(listener) {
      // One entry per call, even where the same function is given twice.
      const entry = () => listener();
      listeners.add(entry);
      return () => listeners.delete(entry);
    },
    set,
    end() {
      set(false);
      isEnded = true;
    },
  };
}
