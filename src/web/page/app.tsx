import type { PageController } from "./create-controller.ts";
import type { PageConfig } from "./page-config.ts";
import type { Store } from "./state/store.ts";
import { FileChooser } from "./view/file-chooser.tsx";
import { ModelFacts } from "./view/model-facts.tsx";
import { PictureList } from "./view/picture-list.tsx";
import { Similarity } from "./view/similarity.tsx";
import { usePageState } from "./view/use-page-state.ts";
import { WayPanels } from "./view/way-panels.tsx";
import { describeOffline } from "./words/describe-offline.ts";
import { announcementOf } from "./words/describe-progress.ts";

export interface AppProps {
  readonly store: Store;
  readonly controller: PageController;
  readonly config: PageConfig;
}

/** The whole page. */
export function App({ store, controller, config }: AppProps) {
  const state = usePageState(store);
  const offline = describeOffline(state);
  return (
    <>
      <header class="top">
        <h1>Portico</h1>
        <p>Turn pictures into the vectors that Keras gives, in three ways, and see that they agree.</p>
      </header>
      <main>
        {offline !== undefined && <p class="offline">{offline}</p>}
        <FileChooser onFiles={controller.addFiles} />
        <p role="status" class="notice">
          {state.notice}
        </p>
        <WayPanels
          state={state}
          controller={controller}
          needsToken={config.needsToken}
          offered={config.models.map(({ variant }) => variant)}
        />
        <PictureList state={state} controller={controller} />
        <Similarity state={state} controller={controller} />
      </main>
      <ModelFacts model={state.model} variant={state.variant} />
      <p role="status" class="unseen" id="announcement">
        {announcementOf(state)}
      </p>
    </>
  );
}
