import type { ServerResponse } from "node:http";
import type { HttpHandler } from "./http-types.ts";

/** The answer to a plain GET. */
export interface HttpPage {
  readonly status: number;
  readonly contentType: string;
  readonly text: string;
}

/** Pages by path; each is made when it is asked for. */
export type HttpPages = Readonly<Record<string, () => HttpPage | Promise<HttpPage>>>;

/** Answers GET and HEAD of the pages' paths, and leaves everything else to `handler`. */
export function withPages(pages: HttpPages, handler: HttpHandler): HttpHandler {
  const byPath = new Map(Object.entries(pages));
  return (request, response) => {
    const makePage = byPath.get(request.url?.split("?", 1)[0] ?? "");
    if (!makePage || (request.method !== "GET" && request.method !== "HEAD")) {
      handler(request, response);
      return;
    }
    // The two classes have the same methods, but their overloads do not unite.
    const either = response as ServerResponse;
    const send = ({ status, contentType, text }: HttpPage) => {
      either.writeHead(status, { "content-type": contentType, "cache-control": "no-store" });
      either.end(request.method === "HEAD" ? "" : text);
    };
    Promise.resolve(makePage()).then(send, () =>
      send({ status: 500, contentType: "text/plain; charset=utf-8", text: "this page could not be made\n" }),
    );
  };
}

export function textPage(status: number, text: string): HttpPage {
  return { status, contentType: "text/plain; charset=utf-8", text: `${text}\n` };
}
