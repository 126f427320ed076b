import type { VariantName } from "../../../embed/model-manifest.ts";
import type { NewPicture, PageAction } from "./page-action.ts";
import type { Outcome, PageState, Picture, Way } from "./page-state.ts";
import { type WayName, wayNames } from "./way-names.ts";

const offWay: Way = { isOn: false, status: { kind: "off" }, notKept: "", losses: 0, replaced: "" };

export const initialState: PageState = {
  pictures: [],
  ways: { server: offWay, simd: offWay, "ort-wasm": offWay, "ort-webgpu": offWay },
  model: undefined,
  variant: "fp32",
  comparedWay: undefined,
  isGpuSoftware: false,
  isOnline: true,
  notice: "",
};

/** The state after an action; what the action does not concern stays the same object. */
export function reduce(state: PageState, action: PageAction): PageState {
  switch (action.kind) {
    case "pictures-added":
      return { ...state, pictures: [...state.pictures, ...action.pictures.map(newPicture)] };
    case "picture-removed":
      return { ...state, pictures: state.pictures.filter(({ id }) => id !== action.id) };
    case "pictures-cleared":
      return { ...state, pictures: [], notice: "" };
    case "preview-made":
      return changePicture(state, action.id, (picture) => ({ ...picture, preview: action.preview }));
    case "outcome":
      return changePicture(state, action.id, (picture) => withOutcome(picture, action.way, action.outcome));
    case "outcome-forgotten":
      return changePicture(state, action.id, (picture) => withoutOutcome(picture, action.way));
    case "way-switched":
      return switchWay(state, action.way, action.isOn);
    case "way-status":
      return changeWay(state, action.way, { status: action.status });
    case "way-not-kept":
      return changeWay(state, action.way, { notKept: action.why });
    case "way-replaced":
      return changeWay(state, action.way, {
        losses: state.ways[action.way].losses + 1,
        replaced: action.why,
      });
    case "model-known":
      return { ...state, model: action.model };
    case "variant-chosen":
      return chooseVariant(state, action.variant);
    case "compared-way":
      return { ...state, comparedWay: action.way };
    case "gpu-is-software":
      return { ...state, isGpuSoftware: true };
    case "online":
      return { ...state, isOnline: action.isOnline };
    case "notice":
      return { ...state, notice: action.text };
  }
}

function newPicture({ refusal, ...picture }: NewPicture): Picture {
  const preview = refusal
    ? ({ kind: "unreadable", error: refusal } as const)
    : ({ kind: "waiting" } as const);
  return { ...picture, preview, outcomes: {} };
}

/** A picture that was removed meanwhile is not brought back by an answer that comes late. */
function changePicture(state: PageState, id: number, change: (picture: Picture) => Picture): PageState {
  if (!state.pictures.some((picture) => picture.id === id)) return state;
  return {
    ...state,
    pictures: state.pictures.map((picture) => (picture.id === id ? change(picture) : picture)),
  };
}

function withOutcome(picture: Picture, way: WayName, outcome: Outcome): Picture {
  return { ...picture, outcomes: { ...picture.outcomes, [way]: outcome } };
}

function withoutOutcome(picture: Picture, way: WayName): Picture {
  if (picture.outcomes[way] === undefined) return picture;
  const { [way]: _forgotten, ...outcomes } = picture.outcomes;
  return { ...picture, outcomes };
}

/** A way that is switched off takes its results with it, so that all that is shown belongs to ways that are on. */
function switchWay(state: PageState, way: WayName, isOn: boolean): PageState {
  const switched = changeWay(state, way, isOn ? { isOn } : offWay);
  if (isOn) return switched;
  return {
    ...switched,
    pictures: state.pictures.map((picture) => withoutOutcome(picture, way)),
    comparedWay: state.comparedWay === way ? undefined : state.comparedWay,
  };
}

/** Vectors of the form before would be taken for those of the new one, so they go with it. */
function chooseVariant(state: PageState, variant: VariantName): PageState {
  const inBrowser = wayNames.filter((way) => way !== "server" && state.ways[way].isOn);
  const begun = Object.fromEntries(inBrowser.map((way) => [way, { ...offWay, isOn: true }]));
  return {
    ...state,
    variant,
    ways: { ...state.ways, ...begun },
    pictures: state.pictures.map((picture) => inBrowser.reduce(withoutOutcome, picture)),
  };
}

function changeWay(state: PageState, way: WayName, change: Partial<Way>): PageState {
  return { ...state, ways: { ...state.ways, [way]: { ...state.ways[way], ...change } } };
}
