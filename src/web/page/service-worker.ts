/**
 * Keeps the page's own files, so that it opens without its server. A version holds what one build of the page is made of;
 * names in assets/ change with their content. Calls of the server, and the models, are never looked at: the models are
 * kept by src/web/load-model.ts.
 */

/** Paths in assets/, put here by the build. */
declare const PAGE_ASSETS: readonly string[];

/** Put here by whoever serves the page: it changes with any file. */
declare const PAGE_VERSION: string;

/** The parts of `ServiceWorkerGlobalScope` that are used: the DOM's types are those of a page. */
interface WorkerScope {
  readonly registration: { readonly scope: string };
  readonly clients: { claim(): Promise<void> };
  skipWaiting(): Promise<void>;
  addEventListener(type: "install" | "activate", listener: (event: LifeEvent) => void): void;
  addEventListener(type: "fetch", listener: (event: RequestEvent) => void): void;
}
interface LifeEvent extends Event {
  waitUntil(work: Promise<unknown>): void;
}
interface RequestEvent extends LifeEvent {
  readonly request: Request;
  respondWith(reply: Promise<Response>): void;
}

const scope = globalThis as unknown as WorkerScope;
const cachePrefix = "portico-page-";
const cacheName = cachePrefix + PAGE_VERSION;
const pageUrl = scope.registration.scope;
const assetUrls: ReadonlySet<string> = new Set(PAGE_ASSETS.map((path) => new URL(path, pageUrl).href));

/** Of several megabytes, and of use to one engine only: kept when they are fetched for the first time. */
const isLarge = (url: string) => /\/ort[.-][^/]*\.(wasm|mjs)$/.test(url);

scope.addEventListener("install", (event) => {
  event.waitUntil(install());
});
scope.addEventListener("activate", (event) => {
  event.waitUntil(activate());
});
scope.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET") return;
  const [url = ""] = request.url.split(/[?#]/, 1);
  if (request.mode === "navigate" && (url === pageUrl || url === `${pageUrl}index.html`)) {
    event.respondWith(answerPage(request));
    event.waitUntil(dropOtherVersions());
  } else if (assetUrls.has(url)) {
    event.respondWith(answerAsset(request, url));
  } else if (url.startsWith(`${pageUrl}assets/`)) {
    event.respondWith(answerOlderAsset(request, url));
  }
});

/** Whole or not at all, as far as the network goes: else the version before stays. Without room the page works online. */
async function install(): Promise<void> {
  const cache = await openCache();
  const small = [...assetUrls].filter((url) => !isLarge(url));
  await Promise.all([
    fetchAndKeep(
      cache,
      pageUrl,
      new Request(pageUrl, { headers: { accept: "text/html" }, cache: "no-cache" }),
    ),
    ...small.map(async (url) => (await copyKept(cache, url)) ?? fetchAndKeep(cache, url, new Request(url))),
  ]);
  // The next load is the new version's, without waiting for all windows to be closed.
  await scope.skipWaiting();
}

/** From the first visit on, what the page fetches comes through here; what it fetched before lies in the HTTP cache. */
async function activate(): Promise<void> {
  await scope.clients.claim();
  await keepLargeOnes();
}

async function keepLargeOnes(): Promise<void> {
  const cache = await openCache();
  for (const url of [...assetUrls].filter(isLarge)) {
    if ((await match(cache, url)) ?? (await copyKept(cache, url))) continue;
    // Nothing is asked of the network: 504 if it is not there.
    const fetched = await fetch(url, { cache: "only-if-cached", mode: "same-origin" }).catch(() => undefined);
    if (fetched?.ok) await keep(cache, url, fetched);
  }
}

async function answerPage(request: Request): Promise<Response> {
  return (await match(await openCache(), pageUrl)) ?? fetch(request);
}

async function answerAsset(request: Request, url: string): Promise<Response> {
  const cache = await openCache();
  const kept = (await match(cache, url)) ?? (await copyKept(cache, url));
  if (kept) return kept;
  const reply = await fetch(request);
  if (reply.ok) void keep(cache, url, reply.clone());
  return reply;
}

/** For a window of the version before, which may be on no host any more, until that version's cache is dropped. */
async function answerOlderAsset(request: Request, url: string): Promise<Response> {
  return (await caches.match(url).catch(() => undefined)) ?? fetch(request);
}

/** Windows of an older version that are still open had their time: what they lack, they fetch. */
async function dropOtherVersions(): Promise<void> {
  await keepLargeOnes();
  const names = await caches.keys();
  const others = names.filter((name) => name.startsWith(cachePrefix) && name !== cacheName);
  await Promise.all(others.map((name) => caches.delete(name)));
}

/** @throws TypeError if it cannot be fetched */
async function fetchAndKeep(cache: Cache | undefined, url: string, request: Request): Promise<void> {
  const reply = await fetch(request);
  if (!reply.ok) throw new TypeError(`${url}: expected HTTP status 200, got ${reply.status}`);
  // A browser takes no reply that was redirected for a navigation; hosts do that with index.html.
  const { status, headers } = reply;
  await keep(cache, url, reply.redirected ? new Response(await reply.blob(), { status, headers }) : reply);
}

/** A file that has not changed is taken from the version before. */
async function copyKept(cache: Cache | undefined, url: string): Promise<Response | undefined> {
  const kept = await caches.match(url).catch(() => undefined);
  if (kept) await keep(cache, url, kept.clone());
  return kept;
}

/** A cache may be full, or forbidden here: then the file comes from the network. */
async function keep(cache: Cache | undefined, url: string, reply: Response): Promise<void> {
  await cache?.put(url, reply).catch(() => undefined);
}

const openCache = (): Promise<Cache | undefined> => caches.open(cacheName).catch(() => undefined);

const match = (cache: Cache | undefined, url: string): Promise<Response | undefined> =>
  cache?.match(url).catch(() => undefined) ?? Promise.resolve(undefined);
