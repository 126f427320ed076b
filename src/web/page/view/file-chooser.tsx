import { pictureBytesMax, picturesMax } from "../state/page-state.ts";
import { formatBytes } from "../words/format-bytes.ts";

export interface FileChooserProps {
  readonly onFiles: (files: readonly File[]) => void;
}

/** Where pictures come in. The input lies unseen over the whole field: a click, the keyboard and a drop all reach it. */
export function FileChooser({ onFiles }: FileChooserProps) {
  function choose(event: Event): void {
    const input = event.currentTarget as HTMLInputElement;
    onFiles([...(input.files ?? [])]);
    // So that the same file can be chosen again.
    input.value = "";
  }
  return (
    <section aria-labelledby="choose-title" class="chooser">
      <h2 id="choose-title" class="unseen">
        Add pictures
      </h2>
      <label class="drop" for="files">
        <strong>Choose pictures</strong>
        <span>or drop them anywhere on this page, or paste them</span>
        <input
          id="files"
          type="file"
          multiple
          accept="image/*,.tif,.tiff,.bmp"
          aria-describedby="files-hint"
          onChange={choose}
        />
      </label>
      <p id="files-hint" class="hint">
        JPEG, PNG, WebP, GIF, BMP or TIFF; up to {picturesMax} pictures of {formatBytes(pictureBytesMax)}{" "}
        each. They leave this device only on the way “Server”.
      </p>
    </section>
  );
}
