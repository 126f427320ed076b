import type { PageState, Picture } from "../state/page-state.ts";
import { wayNames, wayTitles } from "../state/way-names.ts";
import { describeError } from "./describe-error.ts";

/** How many pictures there are, and how far they are. */
export interface Progress {
  readonly total: number;
  /** Nothing more will happen to them unless somebody does something. */
  readonly settled: number;
  /** Of these, unreadable ones and those that a way failed with. */
  readonly failed: number;
}

export function progressOf(state: PageState): Progress {
  const { pictures } = state;
  return {
    total: pictures.length,
    settled: pictures.filter((picture) => isSettled(state, picture)).length,
    failed: pictures.filter(hasFailed).length,
  };
}

const hasFailed = ({ preview, outcomes }: Picture): boolean =>
  preview.kind === "unreadable" || Object.values(outcomes).some(({ kind }) => kind === "failed");

/** No way that is open or about to be has still to deal with it. */
function isSettled({ ways }: PageState, { preview, outcomes }: Picture): boolean {
  if (preview.kind === "waiting") return false;
  if (preview.kind === "unreadable") return true;
  return wayNames.every((way) => {
    const { isOn, status } = ways[way];
    const outcome = outcomes[way];
    if (!isOn || status.kind === "failed") return outcome?.kind !== "working";
    return outcome !== undefined && outcome.kind !== "working";
  });
}

/** What is seen above the pictures; changes with each of them. */
export function describeProgress({ total, settled, failed }: Progress): string {
  const wrong = failed === 0 ? "" : `, ${failed} with an error`;
  return settled === total
    ? `${countOf(total)} done${wrong}.`
    : `${settled} of ${countOf(total)} done${wrong}.`;
}

const countOf = (pictures: number): string => (pictures === 1 ? "1 picture" : `${pictures} pictures`);

/**
 * What a screen reader says, politely. It changes only when a way opens or fails, and when work begins or ends: not with
 * each picture or each piece of a download.
 */
export function announcementOf(state: PageState): string {
  const ways = wayNames.flatMap((way) => {
    const { status } = state.ways[way];
    if (status.kind === "ready") return [`${wayTitles[way]} is ready.`];
    if (status.kind === "failed") return [`${wayTitles[way]}: ${describeError(status.error).sentence}`];
    return status.kind === "downloading" ? [`${wayTitles[way]} downloads the model.`] : [];
  });
  const progress = progressOf(state);
  const { total, settled } = progress;
  if (total === 0) return ways.join(" ");
  const work = settled === total ? describeProgress(progress) : `Working on ${countOf(total)}.`;
  return [...ways, work].join(" ");
}
