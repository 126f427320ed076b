import type { ServerResponse } from "node:http";
import { addVary } from "../http/add-vary.ts";
import type { PageGate } from "../http/http-pages.ts";
import type { HttpHandler, HttpLog, HttpRequest } from "../http/http-types.ts";
import type { AnswerPage } from "./answer-page.ts";
import type { PageModel } from "./page-model.ts";
import type { PageSource } from "./page-source.ts";

export interface PageOptions {
  /** Those that this server computes with, which it prepares itself; a page begins with the first. */
  readonly models: readonly PageModel[];
  /** Other forms of them, which are offered as long as they lie prepared in the cache. Default: none. */
  readonly forms?: readonly PageModel[];
  /** Asked before a model is sent; the page's own files are open to all. Its presence tells the page to ask for a token. */
  readonly modelGate?: PageGate | undefined;
  readonly log: HttpLog;
  /** Default: what the build made, or the sources. */
  readonly openSource?: () => Promise<PageSource>;
}

/**
 * Answers GET and HEAD of `/` and of the page's files, and leaves everything else to `handler`; `/` itself too where the client
 * does not ask for HTML, as curl does not. Paths are looked up in a fixed table: none of them reaches the file system.
 * The page is read, or bundled, at the first request for it, and so is the code for that.
 */
export function withPage(options: PageOptions, handler: HttpHandler): HttpHandler {
  let loading: Promise<AnswerPage> | undefined;
  const load = async () => (await import("./answer-page.ts")).createAnswerPage(options, handler);

  return (request, response) => {
    const path = pathInPage(request);
    if (path === "" && !request.headers.accept?.includes("text/html")) {
      addVary(response as ServerResponse, "accept");
      handler(request, response);
      return;
    }
    if (path === undefined) {
      handler(request, response);
      return;
    }
    loading ??= load();
    // A request sent ahead waits for its turn; until then nothing is opened for it.
    const isNext = "stream" in response || response.socket !== null;
    const turn = isNext ? undefined : new Promise((resolve) => response.once("socket", resolve));
    Promise.all([loading, turn]).then(
      ([answer]) => answer(path, request, response),
      (error: unknown) => {
        options.log("error", "the page could not be loaded", { error });
        response.destroy();
      },
    );
  };
}

/** Without the leading slash; undefined for what cannot be the page's. */
function pathInPage({ url, method }: HttpRequest): string | undefined {
  if (method !== "GET" && method !== "HEAD") return undefined;
  const path = url?.split("?", 1)[0] ?? "";
  const isPages = /^\/($|assets\/|models\/|index\.html$|service-worker\.js$|LICENSES\.txt$)/.test(path);
  return isPages ? path.slice(1) : undefined;
}
