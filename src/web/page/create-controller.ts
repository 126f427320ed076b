import type { VariantName } from "../../embed/model-manifest.ts";
import type { PlainEmbedError } from "../../errors.ts";
import { loadModelFacts, type ModelFacts } from "../package-assets.ts";
import { choosePictures } from "./choose-pictures.ts";
import { readChoices, readVariant, writeChoices, writeVariant } from "./kept-choices.ts";
import { modelUrl, type PageConfig, serverUrl } from "./page-config.ts";
import { runPreviews } from "./preview/run-previews.ts";
import { summariseModel } from "./state/model-forms.ts";
import type { Store } from "./state/store.ts";
import { type BrowserWayName, type WayName, wayNames } from "./state/way-names.ts";
import { createInTurn } from "./ways/in-turn.ts";
import { lookForGpu } from "./ways/look-for-gpu.ts";
import { openBrowserWay } from "./ways/open-browser-way.ts";
import { openServerWay } from "./ways/open-server-way.ts";
import type { OpenWayFunction } from "./ways/open-way.ts";
import { type RunningWay, runWay } from "./ways/run-way.ts";
import { isWayFault } from "./ways/way-faults.ts";
import { whyUnavailable } from "./ways/why-unavailable.ts";

/** What a user can do. */
export interface PageController {
  addFiles(files: readonly File[]): void;
  removePicture(id: number): void;
  clearPictures(): void;
  switchWay(way: WayName, isOn: boolean): void;
  /** Opens a way that failed again; pictures that failed with it are asked for again. */
  retryWay(way: WayName): void;
  retryPicture(id: number): void;
  /** The ways in the browser that are on open again, with another form of the model. */
  chooseVariant(variant: VariantName): void;
  compareBy(way: WayName): void;
  /** Server and model are asked for with it from now on; it is forgotten with the page. */
  setToken(token: string): void;
  notify(text: string): void;
}

/** Joins what a user does, the ways and the previews: all of them meet in the state. */
export function createController(store: Store, config: PageConfig, page: Document): PageController {
  const model = config.models[0]?.name ?? "resnet50";
  const baseUrl = serverUrl(page, config);
  const files = new Map<number, File>();
  const running = new Map<WayName, RunningWay>();
  const inTurn = createInTurn();
  let bearerToken = "";
  let nextId = 1;
  let facts: Promise<ModelFacts> | undefined;

  function loadFacts(): Promise<ModelFacts> {
    facts ??= loadModelFacts(model, undefined).catch((cause: unknown) => {
      facts = undefined;
      throw cause;
    });
    return facts;
  }

  async function tellModel(): Promise<void> {
    store.dispatch({ kind: "model-known", model: summariseModel(await loadFacts()) });
  }

  const openers: Readonly<Record<WayName, OpenWayFunction>> = {
    server: (context) => openServerWay({ baseUrl: baseUrl as string, bearerToken }, context),
    simd: inTurn(browserOpener("simd")),
    "ort-wasm": inTurn(browserOpener("ort-wasm")),
    "ort-webgpu": inTurn(browserOpener("ort-webgpu")),
  };

  function browserOpener(engine: BrowserWayName): OpenWayFunction {
    return (context) => {
      const { variant } = store.get();
      const onnx = modelUrl(page, { name: model, variant });
      return openBrowserWay({ engine, model, variant, onnx, bearerToken }, context);
    };
  }

  function start(way: WayName): void {
    const fileOf = (id: number) => files.get(id);
    running.get(way)?.stop();
    running.set(way, runWay({ name: way, open: openers[way], store, fileOf }));
  }

  function switchWay(way: WayName, isOn: boolean): void {
    if (store.get().ways[way].status.kind === "unavailable") return;
    if (!isOn) {
      running.get(way)?.stop();
      running.delete(way);
    }
    store.dispatch({ kind: "way-switched", way, isOn });
    if (isOn) start(way);
    writeChoices(wayNames.filter((name) => store.get().ways[name].isOn));
  }

  /** What this page or this browser lacks altogether was told before, and more exactly. */
  function dropGpu(): void {
    const way = "ort-webgpu";
    if (store.get().ways[way].status.kind === "unavailable") return;
    switchWay(way, false);
    const why = "WebGPU finds no GPU in this browser.";
    store.dispatch({ kind: "way-status", way, status: { kind: "unavailable", why } });
  }

  function retryWay(way: WayName): void {
    for (const { id, outcomes } of store.get().pictures) {
      const outcome = outcomes[way];
      if (outcome?.kind === "failed" && isWayFault(way, outcome.error.reason)) {
        store.dispatch({ kind: "outcome-forgotten", id, way });
      }
    }
    start(way);
  }

  const pumpPreviews = runPreviews({
    store,
    fileOf: (id) => files.get(id),
    loadPreprocess: async () => (await loadFacts()).manifest.preprocess,
  });
  store.subscribe(() => {
    void pumpPreviews();
    for (const way of running.values()) way.pump();
  });

  for (const way of wayNames) {
    const why = whyUnavailable(way, config);
    if (why !== undefined) store.dispatch({ kind: "way-status", way, status: { kind: "unavailable", why } });
  }
  const variant = readVariant(config.models.map((one) => one.variant));
  store.dispatch({ kind: "variant-chosen", variant });
  for (const way of readChoices() ?? ["server" as const]) switchWay(way, true);
  void lookForGpu().then((found) => {
    if (found === "none") dropGpu();
    else if (found === "software") store.dispatch({ kind: "gpu-is-software" });
  });
  tellModel().catch((cause: unknown) => {
    store.dispatch({ kind: "notice", text: `The model's description cannot be fetched: ${String(cause)}` });
  });

  const setOnline = () => {
    store.dispatch({ kind: "online", isOnline: page.defaultView?.navigator.onLine ?? true });
    if (!store.get().isOnline) return;
    for (const way of wayNames) if (isUnreached(store, way)) retryWay(way);
  };
  setOnline();
  page.defaultView?.addEventListener("online", setOnline);
  page.defaultView?.addEventListener("offline", setOnline);

  return {
    switchWay,
    retryWay,
    addFiles(chosen) {
      const { pictures, notice } = choosePictures(chosen, store.get().pictures.length);
      const added = pictures.map(({ file, refusal }) => {
        const id = nextId++;
        files.set(id, file);
        return { id, name: file.name, bytes: file.size, ...(refusal && { refusal }) };
      });
      store.dispatch({ kind: "notice", text: notice });
      store.dispatch({ kind: "pictures-added", pictures: added });
    },
    removePicture(id) {
      files.delete(id);
      store.dispatch({ kind: "picture-removed", id });
    },
    clearPictures() {
      files.clear();
      store.dispatch({ kind: "pictures-cleared" });
    },
    retryPicture(id) {
      const picture = store.get().pictures.find((one) => one.id === id);
      for (const way of wayNames) {
        if (picture?.outcomes[way]?.kind === "failed") store.dispatch({ kind: "outcome-forgotten", id, way });
      }
      if (picture?.preview.kind === "unavailable") {
        store.dispatch({ kind: "preview-made", id, preview: { kind: "waiting" } });
      }
    },
    chooseVariant(chosen) {
      if (chosen === store.get().variant) return;
      const inBrowser = wayNames.filter((way) => way !== "server" && store.get().ways[way].isOn);
      // Before their vectors are forgotten: they would begin again with the form that they have.
      for (const way of inBrowser) running.get(way)?.stop();
      store.dispatch({ kind: "variant-chosen", variant: chosen });
      writeVariant(chosen);
      for (const way of inBrowser) start(way);
    },
    compareBy: (way) => store.dispatch({ kind: "compared-way", way }),
    setToken(token) {
      bearerToken = token;
      for (const way of wayNames) {
        const { isOn, status } = store.get().ways[way];
        if (isOn && (way === "server" || status.kind === "failed")) retryWay(way);
      }
    },
    notify: (text) => store.dispatch({ kind: "notice", text }),
  };
}

/** A way that failed for want of a network, which is worth another try once there is one. */
function isUnreached(store: Store, way: WayName): boolean {
  const { status } = store.get().ways[way];
  if (status.kind !== "failed") return false;
  const reasons: readonly PlainEmbedError["reason"][] = ["SERVER_UNREACHABLE", "MODEL_UNREACHABLE"];
  return reasons.includes(status.error.reason);
}
