import { useRef } from "preact/hooks";
import type { PageController } from "../create-controller.ts";
import { shownVector } from "../state/comparison.ts";
import type { ModelSummary, Picture } from "../state/page-state.ts";
import type { WayName } from "../state/way-names.ts";
import type { Waiting } from "../words/describe-waiting.ts";
import { formatBytes } from "../words/format-bytes.ts";
import { picturesJson } from "../words/pictures-json.ts";
import { DifferenceLine } from "./difference-line.tsx";
import { ErrorWords } from "./error-words.tsx";
import { OutcomeTable } from "./outcome-table.tsx";
import { fileChooser, passFocus } from "./pass-focus.ts";
import { saveFile } from "./save-file.ts";
import { SeenCanvas } from "./seen-canvas.tsx";
import { VectorActions } from "./vector-actions.tsx";
import { VectorPlot } from "./vector-plot.tsx";

export interface PictureCardProps {
  readonly picture: Picture;
  /** The way whose vector is plotted. */
  readonly plotted: WayName | undefined;
  readonly waiting: Waiting;
  /** Undefined while it is not known. */
  readonly model: ModelSummary | undefined;
  readonly controller: PageController;
}

/** One picture: as the model sees it, its vector, how long each way took, and how far they lie apart. */
export function PictureCard({ picture, plotted, waiting, model, controller }: PictureCardProps) {
  const { id, name, preview, outcomes } = picture;
  const shown = shownVector(picture, plotted);
  const canRetry =
    preview.kind === "unavailable" || Object.values(outcomes).some(({ kind }) => kind === "failed");
  const card = useRef<HTMLLIElement>(null);
  function remove(): void {
    const beside = card.current?.nextElementSibling ?? card.current?.previousElementSibling;
    passFocus(beside?.querySelector<HTMLElement>(".card-head button") ?? fileChooser());
    controller.removePicture(id);
  }
  function retry(): void {
    // Not to a button: a second press would do something else.
    passFocus(card.current);
    controller.retryPicture(id);
  }
  return (
    <li ref={card} tabIndex={-1} class="card" aria-labelledby={`picture-${id}`} data-picture={name}>
      <div class="card-head">
        <h3 id={`picture-${id}`}>{name}</h3>
        <button type="button" class="quiet" onClick={remove}>
          Remove<span class="unseen"> {name}</span>
        </button>
      </div>
      <div class="seen">
        {preview.kind === "ready" ? (
          <SeenCanvas pixels={preview.seen} name={name} />
        ) : (
          <div class="seen-none" aria-hidden="true" />
        )}
        <dl class="facts">
          {preview.kind === "ready" && (
            <>
              <dt>Format</dt>
              <dd>{preview.format.toUpperCase()}</dd>
              <dt>Pixels</dt>
              <dd>
                {preview.width} × {preview.height}
              </dd>
            </>
          )}
          <dt>File</dt>
          <dd>{formatBytes(picture.bytes)}</dd>
        </dl>
      </div>
      {preview.kind === "waiting" && <p class="status">Reading the picture</p>}
      {preview.kind === "unreadable" && <ErrorWords error={preview.error} />}
      {preview.kind === "unavailable" && (
        <>
          <p class="status">There is no preview.</p>
          <ErrorWords error={preview.error} />
        </>
      )}
      {shown && <VectorPlot way={shown[0]} vector={shown[1].vector} />}
      {preview.kind !== "unreadable" && <OutcomeTable picture={picture} waiting={waiting} model={model} />}
      {model && <DifferenceLine picture={picture} model={model} />}
      {shown && (
        <details>
          <summary>Vector space</summary>
          <code>{shown[1].vectorSpace}</code>
        </details>
      )}
      <div class="actions">
        {shown && (
          <VectorActions
            name={name}
            vector={shown[1].vector}
            onSave={() => saveFile(`${name}.json`, picturesJson([picture]))}
          />
        )}
        {canRetry && (
          <button type="button" onClick={retry}>
            Try again<span class="unseen">: {name}</span>
          </button>
        )}
      </div>
    </li>
  );
}
