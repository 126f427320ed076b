/** An engine of the page that has loaded the model. */
export interface PageEngine {
  readonly version: string;
  /** @param tensor (1, 224, 224, 3) float32; @returns (2048) float32 */
  run(tensor: Float32Array): Promise<Float32Array>;
}

export async function fetchBytes(path: string): Promise<Uint8Array<ArrayBuffer>> {
  const reply = await fetch(path);
  if (!reply.ok) throw new Error(`${path}: ${reply.status}`);
  return new Uint8Array(await reply.arrayBuffer());
}

/** The version of a package that the page uses. */
export async function packageVersion(name: string): Promise<string> {
  const { version } = JSON.parse(new TextDecoder().decode(await fetchBytes(`/modules/${name}/package.json`)));
  return `${name} ${version}`;
}
