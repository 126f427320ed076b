import { useLayoutEffect, useState } from "preact/hooks";
import type { PageState } from "../state/page-state.ts";
import type { Store } from "../state/store.ts";

/** The state of a store; the component is rendered again with each change. */
export function usePageState(store: Store): PageState {
  const [state, setState] = useState(store.get());
  useLayoutEffect(() => {
    const update = () => setState(store.get());
    // It may have changed between the first rendering and now.
    update();
    return store.subscribe(update);
  }, [store]);
  return state;
}
