#!/usr/bin/env node
import { readFileSync } from "node:fs";
import { askReadiness } from "../node/http/ask-readiness.ts";
import { hostToDial, resolveListenAddress } from "../node/http/listen-address.ts";
import { healthAnswerTimeoutMs } from "./health-answer-timeout.ts";
import { readListenFlags } from "./read-listen-flags.ts";

/**
 * HEALTHCHECK of the container: exit code 0 while work is taken, or while a server lives that tells nobody without a
 * certificate (`--tls-client-ca`), which would otherwise be replaced again and again; else 1. One line says why. It asks
 * where the server of the container, process 1, listens: by its flags, else by OP_ENDPOINT. Another process:
 * `healthcheck.js PID`.
 */

const [pid = "1"] = process.argv.slice(2);
try {
  const { listen, tls } = readListenFlags(readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0"));
  const address = resolveListenAddress(listen, process.env.OP_ENDPOINT);
  const { isReady, isClosedToStrangers, text } = await askReadiness(
    { host: hostToDial(address), port: address.port, tls },
    healthAnswerTimeoutMs,
  );
  const note = isClosedToStrangers
    ? "; this check has no certificate, so that it lives is all that is known"
    : "";
  process.stdout.write(`${text}${note}\n`);
  process.exitCode = isReady || isClosedToStrangers ? 0 : 1;
} catch (error) {
  process.stdout.write(`${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
}
