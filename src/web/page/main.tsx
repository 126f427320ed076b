import { render } from "preact";
import { App } from "./app.tsx";
import { createController } from "./create-controller.ts";
import { listenForFiles } from "./listen-for-files.ts";
import { readPageConfig } from "./page-config.ts";
import { registerServiceWorker } from "./register-service-worker.ts";
import { createStore } from "./state/store.ts";

/** Entry of the page. */
const store = createStore();
const config = readPageConfig(document);
const controller = createController(store, config, document);
listenForFiles(document, controller.addFiles);
render(
  <App store={store} controller={controller} config={config} />,
  document.querySelector("#page") as HTMLElement,
);
registerServiceWorker(document).catch((cause: unknown) => {
  controller.notify(`This page will not open without a network: ${String(cause)}`);
});
