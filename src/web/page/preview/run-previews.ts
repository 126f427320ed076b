import { EmbedError, type Reason } from "../../../errors.ts";
import type { PreprocessSpec } from "../../../preprocess/preprocess-spec.ts";
import type { Preview } from "../state/page-state.ts";
import type { Store } from "../state/store.ts";
import { createPreviewer } from "./create-previewer.ts";

/** What is wrong with a picture itself, wherever it is looked at. */
const pictureFaults: readonly Reason[] = [
  "SOURCE_EMPTY",
  "SOURCE_UNREACHABLE",
  "IMAGE_UNSUPPORTED",
  "IMAGE_CORRUPT",
  "IMAGE_TOO_LARGE",
];

export interface RunPreviewsOptions {
  readonly store: Store;
  readonly fileOf: (id: number) => Blob | undefined;
  /** How the model wants its pictures; rejects if that cannot be fetched. */
  readonly loadPreprocess: () => Promise<PreprocessSpec>;
}

/**
 * Makes the preview of one picture of the state after the other.
 * @returns what is to be called after every change of the state
 */
export function runPreviews({ store, fileOf, loadPreprocess }: RunPreviewsOptions): () => void {
  const previewer = createPreviewer();
  let isBusy = false;

  async function makePreview(file: Blob): Promise<Preview> {
    try {
      const { format, width, height, seen } = await previewer.preview(file, await loadPreprocess());
      return { kind: "ready", format, width, height, seen };
    } catch (cause) {
      const error = EmbedError.from(cause, "INTERNAL", String(cause));
      const kind = pictureFaults.includes(error.reason) ? "unreadable" : "unavailable";
      return { kind, error: error.toPlain() };
    }
  }

  return async function pump() {
    if (isBusy) return;
    isBusy = true;
    for (;;) {
      const picture = store.get().pictures.find(({ preview }) => preview.kind === "waiting");
      const file = picture && fileOf(picture.id);
      if (!picture || !file) break;
      store.dispatch({ kind: "preview-made", id: picture.id, preview: await makePreview(file) });
    }
    isBusy = false;
  };
}
