#!/usr/bin/env node
import "./end-as-first-process.ts";
import "../node/compile-on-calling-thread.ts";
import "../node/limit-young-heap.ts";

// Loaded after the lines above have run: reading all of it takes a quarter of a second.
try {
  await import("./run-program.ts");
} catch (error) {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code !== "ERR_MODULE_NOT_FOUND" && code !== "ENOENT") throw error;
  // A file of the installation is missing; a stack would tell a user nothing more.
  process.stderr.write(`portico: ${message}; install Portico, or build or pull its image, again\n`);
  process.exitCode = 2;
}
