import { Command } from "commander";
import { pino } from "pino";
import { afterEach, describe, expect, test, vi } from "vitest";
import {
  addObservabilityOptions,
  type ObservabilityOptions,
  toObservability,
} from "./observability-options.ts";

const log = pino({ level: "silent" });
const parse = (...args: readonly string[]) =>
  addObservabilityOptions(new Command().exitOverride())
    .parse(["node", "portico", ...args])
    .opts<ObservabilityOptions>();

afterEach(() => vi.unstubAllEnvs());

/** How many observers there are: the access log, traces. */
async function observersOf(...args: readonly string[]): Promise<number> {
  const { observers, close } = await toObservability(parse(...args), log);
  await close();
  return observers.length;
}

describe("what is asked for", () => {
  test.each([
    ["nothing: the access log alone", [], {}, 1],
    ["no access log", ["--access-log", "off"], {}, 0],
    ["a collector by flag", ["--otlp-endpoint", "http://127.0.0.1:9/base"], {}, 2],
    ["a collector by environment", [], { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:9" }, 2],
    ["one for traces alone", [], { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "http://127.0.0.1:9/v1/traces" }, 2],
    ["an empty variable", [], { OTEL_EXPORTER_OTLP_ENDPOINT: "" }, 1],
    [
      "all of OpenTelemetry switched off",
      [],
      { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:9", OTEL_SDK_DISABLED: "TRUE" },
      1,
    ],
    [
      "its traces switched off",
      [],
      { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:9", OTEL_TRACES_EXPORTER: "none" },
      1,
    ],
  ])("%s", async (_, args, env, count) => {
    for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
    expect(await observersOf(...args)).toBe(count);
  });

  test.each(["127.0.0.1:4318", "collector", "ftp://127.0.0.1"])("%s is no endpoint", async (endpoint) => {
    await expect(observersOf("--otlp-endpoint", endpoint)).rejects.toMatchObject({
      reason: "CONFIG_INVALID",
      message: `--otlp-endpoint: expected http://HOST:PORT or https://HOST:PORT (a path is kept, /v1/traces is appended), got "${endpoint}"`,
    });
  });
});
