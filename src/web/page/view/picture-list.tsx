import { useMemo } from "preact/hooks";
import type { PageController } from "../create-controller.ts";
import { chosenWay } from "../state/comparison.ts";
import type { PageState } from "../state/page-state.ts";
import { describeProgress, progressOf } from "../words/describe-progress.ts";
import { describeWaiting } from "../words/describe-waiting.ts";
import { picturesJson } from "../words/pictures-json.ts";
import { fileChooser, passFocus } from "./pass-focus.ts";
import { PictureCard, type PictureCardProps } from "./picture-card.tsx";
import { saveFile } from "./save-file.ts";

export interface PictureListProps {
  readonly state: PageState;
  readonly controller: PageController;
}

/** Every picture in a card of its own. */
export function PictureList({ state, controller }: PictureListProps) {
  const { pictures, model } = state;
  const waiting = describeWaiting(state);
  // The same object as long as it says the same, so that a download's progress does not draw every card again.
  const kept = useMemo(() => waiting, [JSON.stringify(waiting)]);
  if (pictures.length === 0) return null;
  const progress = progressOf(state);
  function clear(): void {
    passFocus(fileChooser());
    controller.clearPictures();
  }
  return (
    <section aria-labelledby="pictures-title">
      <div class="section-head">
        <h2 id="pictures-title">Pictures</h2>
        <p class="status">{describeProgress(progress)}</p>
        <div class="actions">
          <button type="button" onClick={() => saveFile("vectors.json", picturesJson(pictures))}>
            Download all as JSON
          </button>
          <button type="button" onClick={clear}>
            Remove all
          </button>
        </div>
      </div>
      <ul class="cards">
        {pictures.map((picture) => (
          <PictureItem
            key={picture.id}
            picture={picture}
            plotted={chosenWay(state)}
            waiting={kept}
            model={model}
            controller={controller}
          />
        ))}
      </ul>
    </section>
  );
}

/** Drawn again only when something that it shows has changed: there may be two hundred of them. */
function PictureItem(props: PictureCardProps) {
  const { picture, plotted, waiting, model, controller } = props;
  return useMemo(() => <PictureCard {...props} />, [picture, plotted, waiting, model, controller]);
}
