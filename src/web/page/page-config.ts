import type { VariantName } from "../../embed/model-manifest.ts";

/** What whoever serves the page tells it, in `<meta name="portico" content="JSON">` of index.html. */
export interface PageConfig {
  /** Base URL of the server that this page calls, relative to the page's own; undefined: there is none. */
  readonly server?: string;
  /**
   * Forms of a converted model that lie beside the page (`modelUrl`), so that the engines in the browser can run; may be none. All
   * have the same name, and the first is what the page begins with.
   */
  readonly models: readonly PageModel[];
  /** Whether calls and the models need a bearer token (`authorization: Bearer TOKEN`); the page's own files never do. */
  readonly needsToken: boolean;
}

/** A file of a converted model, in one of its forms. */
export interface PageModel {
  readonly name: string;
  readonly variant: VariantName;
}

/** @throws Error if index.html has none, which would be a fault of the build */
export function readPageConfig(page: Document): PageConfig {
  const content = page.querySelector<HTMLMetaElement>('meta[name="portico"]')?.content;
  if (content === undefined) throw new Error('expected <meta name="portico"> in the page, got none');
  return JSON.parse(content) as PageConfig;
}

/** Where the converted model lies: relative to the page, since a page may lie in any folder of its host. */
export const modelUrl = (page: Document, { name, variant }: PageModel): URL =>
  new URL(`models/${name}${variant === "fp32" ? "" : `-${variant}`}.onnx`, page.baseURI);

/** The server to call, absolute, or undefined without one. */
export const serverUrl = (page: Document, { server }: PageConfig): string | undefined =>
  server === undefined ? undefined : new URL(server, page.baseURI).href.replace(/\/$/, "");

/** Registered by the page, scope: the folder of the page. */
export const serviceWorkerUrl = (page: Document): URL => new URL("service-worker.js", page.baseURI);
