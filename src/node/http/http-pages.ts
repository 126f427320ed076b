import type { ServerResponse } from "node:http";
import type { HttpHandler, HttpLog, HttpRequest, HttpResponse } from "./http-types.ts";

/** The answer to a plain GET. */
export interface HttpPage {
  readonly status: number;
  readonly contentType: string;
  readonly text: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Pages by path; each is made when it is asked for. */
export type HttpPages = Readonly<Record<string, () => HttpPage | Promise<HttpPage>>>;

/** Asked before a page is made: lets the request pass, or gives the page that refuses it. */
export type PageGate = (path: string, request: HttpRequest) => HttpPage | undefined;

export interface PagesOptions {
  /** Is told why a page could not be made; the client is not. */
  readonly log: HttpLog;
  readonly gate?: PageGate | undefined;
}

/** Answers GET and HEAD of the pages' paths, and leaves everything else to `handler`. */
export function withPages(pages: HttpPages, handler: HttpHandler, { log, gate }: PagesOptions): HttpHandler {
  const byPath = new Map(Object.entries(pages));
  return (request, response) => {
    const path = request.url?.split("?", 1)[0] ?? "";
    const makePage = byPath.get(path);
    if (!makePage || (request.method !== "GET" && request.method !== "HEAD")) {
      handler(request, response);
      return;
    }
    const send = (page: HttpPage) => sendHttpPage(request, response, page);
    const refusal = gate?.(path, request);
    if (refusal) {
      send(refusal);
      return;
    }
    Promise.resolve()
      .then(makePage)
      .then(send, (error: unknown) => {
        log("error", "a page could not be made", { path, error });
        send(textPage(500, "this page could not be made"));
      });
  };
}

/** Answers GET or HEAD with it; nobody may keep it. */
export function sendHttpPage(
  request: HttpRequest,
  response: HttpResponse,
  { status, contentType, text, headers }: HttpPage,
): void {
  // The two classes have the same methods, but their overloads do not unite.
  const either = response as ServerResponse;
  either.writeHead(status, { ...headers, "content-type": contentType, "cache-control": "no-store" });
  either.end(request.method === "HEAD" ? "" : text);
}

export function textPage(status: number, text: string): HttpPage {
  return { status, contentType: "text/plain; charset=utf-8", text: `${text}\n` };
}
