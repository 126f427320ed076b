/** What whoever serves the page tells it, in `<meta name="portico" content="JSON">` of index.html. */
export interface PageConfig {
  /** Base URL of the server that this page calls, relative to the page's own; undefined: there is none. */
  readonly server?: string;
  /** Converted models that lie beside the page (`modelUrl`), so that the engines in the browser can run; may be empty. */
  readonly models: readonly string[];
  /** Whether calls and the models need a bearer token (`authorization: Bearer TOKEN`); the page's own files never do. */
  readonly needsToken: boolean;
}

/** @throws Error if index.html has none, which would be a fault of the build */
export function readPageConfig(page: Document): PageConfig {
  const content = page.querySelector<HTMLMetaElement>('meta[name="portico"]')?.content;
  if (content === undefined) throw new Error('expected <meta name="portico"> in the page, got none');
  return JSON.parse(content) as PageConfig;
}

/** Where the converted model lies: relative to the page, since a page may lie in any folder of its host. */
export const modelUrl = (page: Document, model: string): URL => new URL(`models/${model}.onnx`, page.baseURI);

/** The server to call, absolute, or undefined without one. */
export const serverUrl = (page: Document, { server }: PageConfig): string | undefined =>
  server === undefined ? undefined : new URL(server, page.baseURI).href.replace(/\/$/, "");

/** Registered by the page, scope: the folder of the page. */
export const serviceWorkerUrl = (page: Document): URL => new URL("service-worker.js", page.baseURI);
