import { randomUUID } from "node:crypto";

/** Taken from a caller, and echoed in every answer. */
export const requestIdHeader = "x-request-id";

/**
 * What a caller may choose: UUIDs, ULIDs, base64 and what proxies make, but nothing that could end a line of a
 * log, open a tag or fill a disk.
 */
const sane = /^[A-Za-z0-9][A-Za-z0-9._:=+/@~-]{0,127}$/;

/** The caller's request id if it is sane, else a new UUID. */
export function chooseRequestId(header: string | string[] | undefined): string {
  return typeof header === "string" && sane.test(header) ? header : randomUUID();
}
