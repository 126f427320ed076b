import { expect } from "vitest";
import { workTimeoutMs } from "./page-reader.ts";

/** Expects something of what a page shows, sooner or later: a machine that does other things, too, takes its time. */
export const eventually = <T>(read: () => T | Promise<T>) => expect.poll(read, { timeout: workTimeoutMs });
