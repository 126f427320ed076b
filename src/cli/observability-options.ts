import { type Command, Option } from "commander";
import { EmbedError } from "../errors.ts";
import { createAccessLog } from "../node/observe/access-log.ts";
import type { Log } from "../node/observe/log.ts";
import type { RequestObserver } from "../node/observe/observe-requests.ts";
import { openTracing } from "../node/observe/open-telemetry.ts";
import { packageVersion } from "./package-version.ts";

/** Options of a server that say what of it is seen from outside. */
export interface ObservabilityOptions {
  readonly accessLog: "on" | "off";
  readonly otlpEndpoint?: string;
}

export interface Observability {
  readonly observers: readonly RequestObserver[];
  /** Sends what is not sent yet. */
  close(): Promise<void>;
}

export function addObservabilityOptions(command: Command): Command {
  return command
    .addOption(
      // On, as other servers have it: who runs one needs to know who called. It costs microseconds a call.
      new Option(
        "--access-log <mode>",
        "one log line for each request; those of healthy probes at level debug",
      )
        .choices(["on", "off"])
        .default("on"),
    )
    .option(
      "--otlp-endpoint <url>",
      "OTLP collector that gets a trace of each call (also OTEL_EXPORTER_OTLP_ENDPOINT)",
    );
}

/** @throws EmbedError `CONFIG_INVALID`: no URL, or the packages of OpenTelemetry are not installed */
export async function toObservability(options: ObservabilityOptions, log: Log): Promise<Observability> {
  const accessLog = options.accessLog === "on" ? [createAccessLog(log)] : [];
  const { otlpEndpoint } = options;
  if (otlpEndpoint !== undefined) checkEndpoint(otlpEndpoint);
  else if (!isTracingAskedFor(process.env)) return { observers: accessLog, close: async () => undefined };
  const tracing = await openTracing({
    ...(otlpEndpoint !== undefined && { endpoint: otlpEndpoint }),
    version: packageVersion(),
    log,
  });
  return { observers: [...accessLog, tracing.observer], close: tracing.close };
}

function checkEndpoint(text: string): void {
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) return;
  throw new EmbedError(
    "CONFIG_INVALID",
    `--otlp-endpoint: expected http://HOST:PORT or https://HOST:PORT (a path is kept, /v1/traces is appended), got "${text}"`,
  );
}

/** https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/ */
function isTracingAskedFor(env: NodeJS.ProcessEnv): boolean {
  if (env.OTEL_SDK_DISABLED?.toLowerCase() === "true" || env.OTEL_TRACES_EXPORTER === "none") return false;
  return Boolean(env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT || env.OTEL_EXPORTER_OTLP_ENDPOINT);
}
