import type { PageAction } from "./page-action.ts";
import type { PageState } from "./page-state.ts";
import { initialState, reduce } from "./reduce.ts";

/** Holds the state of a page. */
export interface Store {
  get(): PageState;
  dispatch(action: PageAction): void;
  /** Calls after each change. @returns what ends that */
  subscribe(listener: () => void): () => void;
}

export function createStore(): Store {
  let state = initialState;
  const listeners = new Set<() => void>();
  return {
    get: () => state,
    dispatch(action) {
      const before = state;
      state = reduce(state, action);
      if (state === before) return;
      for (const listener of listeners) listener();
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
