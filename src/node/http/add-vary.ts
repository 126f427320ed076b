import type { ServerResponse } from "node:http";

/** Adds a request header that the answer depends on; CORS has put its own there before. */
export function addVary(response: ServerResponse, name: string): void {
  const before = response.getHeader("vary");
  response.setHeader("vary", before === undefined ? name : `${before}, ${name}`);
}
