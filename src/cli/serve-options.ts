import { type Command, Option } from "commander";
import { commandName } from "../node/command-name.ts";
import { type LogLevel, logLevels } from "../node/observe/log.ts";
import { defaultMaxItems } from "../service/served-model.ts";
import { type AccessOptions, addAccessOptions } from "./access-options.ts";
import { addPoolOptions, type PoolOptions, positiveInteger } from "./common-options.ts";
import { addConnectionOptions, type ConnectionOptions } from "./connection-options.ts";
import { addFetchOptions, type FetchOptions } from "./fetch-options.ts";
import { addLoadOptions, type LoadOptions } from "./load-options.ts";
import { addModelOptions, type ModelOptions } from "./model-options.ts";
import { addObservabilityOptions, type ObservabilityOptions } from "./observability-options.ts";
import { addProcessorOptions, type ProcessorOptions } from "./processor-options.ts";
import { addShutdownOptions, type ShutdownOptions } from "./shutdown-options.ts";
import { addTlsOptions, type TlsOptions } from "./tls-options.ts";

/** Options that a server is started for most often. */
interface MainOptions {
  readonly listen?: string;
  readonly maxItems: number;
  readonly page: "on" | "off";
  readonly logLevel: LogLevel;
}

/** Every option of `portico serve`. */
export interface ServeOptions
  extends MainOptions,
    ModelOptions,
    PoolOptions,
    ProcessorOptions,
    FetchOptions,
    LoadOptions,
    ConnectionOptions,
    AccessOptions,
    TlsOptions,
    ObservabilityOptions,
    ShutdownOptions {}

/** As `--help` lists them. */
const groups: readonly (readonly [heading: string, add: (command: Command) => Command])[] = [
  ["Server:", addMainOptions],
  ["Models and workers:", (command) => addProcessorOptions(addPoolOptions(addModelOptions(command)))],
  ["Pictures and their URLs:", addFetchOptions],
  ["Load:", addLoadOptions],
  ["Connections:", addConnectionOptions],
  ["Access:", addAccessOptions],
  ["TLS:", addTlsOptions],
  ["Observability:", addObservabilityOptions],
  ["Shutdown:", addShutdownOptions],
];

/** The options of `portico serve`, its description and its help. */
export function addServeOptions(command: Command): Command {
  for (const [heading, add] of groups) add(command.optionsGroup(heading));
  return command
    .optionsGroup("Help:")
    .helpOption("-h, --help", "display help for command")
    .description(
      "serve omnisearch.Operator and portico.v1.EmbeddingService over gRPC, gRPC-Web and Connect on one port",
    )
    .addHelpText(
      "after",
      `
Address: --listen; else the port of the environment variable OP_ENDPOINT (HOST:PORT, without a port: 80) on
all interfaces, as Phantoscope's operators do; else 127.0.0.1:52001. Identity echoes OP_ENDPOINT.
The port opens at once. Until the model is ready, Healthy is UNAVAILABLE, and Execute and Embed wait.
SIGTERM or SIGINT lets calls in flight end; a second one cuts them off. Exit code 0 once all have ended, 1 if
calls were cut off by the end of the grace or by a second signal, and 130 (SIGINT) or 143 (SIGTERM) if the model
was not ready yet.

Examples:
  ${commandName()} serve
  ${commandName()} serve --listen '*:52001' --workers 2
  ${commandName()} serve --model resnet50 --model vgg19 --lazy-models
  ${commandName()} serve --processor preview`,
    );
}

function addMainOptions(command: Command): Command {
  return command
    .option("--listen <host:port>", "address to listen on, *:PORT for all interfaces (see below)")
    .option("--max-items <n>", "largest number of pictures in one call", positiveInteger, defaultMaxItems)
    .addOption(
      new Option(
        "--page <mode>",
        "whether the page in a browser, at /, and the model that it may fetch are served",
      )
        .choices(["on", "off"])
        .default("on")
        .env("PORTICO_PAGE"),
    )
    .addOption(new Option("--log-level <level>", "least severe log line").choices(logLevels).default("info"));
}
