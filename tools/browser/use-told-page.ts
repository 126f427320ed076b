import { afterAll, beforeAll } from "vitest";
import {
  buildPackageForPages,
  openPackagePage,
  type PackagePage,
  removeFolder,
  softwareGpuFlags,
} from "./package-page.ts";
import { playStory, type Story, type StoryEnd } from "./page-story.ts";
import { writeSmallModel } from "./small-model.ts";
import { writeToldWorker } from "./told-worker.ts";

export interface ToldPage {
  /** In the page that all tests of a file share, whose Web Workers do as they are told. */
  play(story: Story): Promise<StoryEnd>;
  /** Another page, with the small model and the workers that users have; the caller closes it. */
  openPlain(): Promise<PackagePage>;
}

/**
 * A page with the package in it, on a machine with a software GPU, and with a model so small that a picture takes a
 * millisecond. It is there from the first test on and is closed after the last.
 * @param chromium its full path; undefined: nothing is opened, and every test must be skipped
 */
export function useToldPage(chromium: string | undefined): ToldPage {
  let folder: string;
  let model: Readonly<Record<string, string>>;
  let opened: PackagePage;
  const open = (files: Readonly<Record<string, string>>) =>
    openPackagePage(folder, { chromium: chromium as string, files, flags: softwareGpuFlags });

  beforeAll(async () => {
    if (!chromium) return;
    folder = await buildPackageForPages();
    model = await writeSmallModel(folder);
    opened = await open({ ...model, ...(await writeToldWorker(folder)) });
  });
  afterAll(async () => {
    await opened?.close();
    if (folder) await removeFolder(folder);
  });

  return {
    play: (story) => playStory(opened.page, story),
    openPlain: () => open(model),
  };
}
