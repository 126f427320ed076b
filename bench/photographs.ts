import { readdir, readFile } from "node:fs/promises";

const folder = new URL("../fixtures/images/photo/", import.meta.url);

/** The eight photographs of fixtures/images/photo as encoded bytes: JPEG, about 1024 pixels, 170 to 320 KB each. */
export async function readPhotographs(): Promise<readonly Uint8Array<ArrayBuffer>[]> {
  const files = (await readdir(folder)).sort();
  return Promise.all(files.map(async (file) => new Uint8Array(await readFile(new URL(file, folder)))));
}
