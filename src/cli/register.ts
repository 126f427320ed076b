import { type Command, Option } from "commander";
import { commandName } from "../node/command-name.ts";
import {
  defaultAnswerTimeoutMs,
  type PhantoscopeApi,
  phantoscopeApis,
} from "../node/phantoscope/phantoscope-api.ts";
import type { RegisterOptions, Registration } from "../node/phantoscope/register-operator.ts";
import { milliseconds } from "./common-options.ts";
import { packageVersion } from "./package-version.ts";
import { reportShortfall } from "./report-error.ts";

type RegisterFlags = Omit<RegisterOptions, "api"> & { readonly api: "auto" | PhantoscopeApi };

/** `portico register`: makes an operator known to Phantoscope. */
export function addRegisterCommand(program: Command): void {
  program
    .command("register")
    .description(
      "register an operator, Portico or another, with Phantoscope, and say what is wrong if it cannot be",
    )
    .requiredOption("--phantoscope <url>", "address of Phantoscope's API, for example http://10.0.0.7:5000")
    .addOption(
      new Option(
        "--api <version>",
        "v0.1 takes an endpoint; master, as v0.2, an image; auto: ask Phantoscope",
      )
        .choices(["auto", ...phantoscopeApis])
        .default("auto"),
    )
    .option(
      "--endpoint <host:port>",
      "v0.1: where Phantoscope reaches the operator (also OP_ENDPOINT); master: where one runs now, to be asked",
    )
    .option("--name <name>", "its name in Phantoscope; the operator's own by default")
    .option("--no-check", "do not dial the operator from here first; --name must be given")
    .option("--image <name>", "master: the container image that Phantoscope starts")
    .addOption(
      new Option("--type <type>", "master, without --endpoint: the kind of operator")
        .choices(["encoder", "processor"])
        .default("encoder"),
    )
    .option("--author <text>", "master: shown by Phantoscope", "")
    .option("--description <text>", "master: shown by Phantoscope; what Identity says by default")
    .option("--operator-version <text>", "master: shown by Phantoscope", packageVersion())
    .option("--timeout-ms <n>", "time for each answer of Phantoscope", milliseconds, defaultAnswerTimeoutMs)
    .addHelpText(
      "after",
      `
First the operator is dialled from here, as Phantoscope does it (plaintext gRPC, Identity and Healthy), so that
a wrong endpoint is told before it is registered. Phantoscope 0.1 keeps the endpoint that Identity says, which
is OP_ENDPOINT of the operator: both must be the same.
What goes wrong is told in one line, with how to mend it. Exit code 1: not registered, or it will not work so.

Examples:
  ${commandName()} register --phantoscope http://10.0.0.7:5000 --endpoint 10.0.0.8:52001
  ${commandName()} register --phantoscope http://10.0.0.7:5000 --image portico --name resnet50`,
    )
    .action(registerCommand);
}

async function registerCommand({ api, endpoint, ...flags }: RegisterFlags): Promise<void> {
  // Loaded when it is asked for: the gRPC client takes time to load.
  const { registerOperator } = await import("../node/phantoscope/register-operator.ts");
  const dialled = endpoint ?? process.env.OP_ENDPOINT;
  const registration = await registerOperator({
    ...flags,
    ...(api !== "auto" && { api }),
    ...(dialled !== undefined && { endpoint: dialled }),
  });
  for (const warning of registration.warnings) process.stderr.write(`portico: ${warning}\n`);
  process.stdout.write(describeRegistration(registration));
  for (const shortfall of registration.shortfalls) reportShortfall(shortfall);
}

function describeRegistration({ api, url, name, target, identity, health, answer }: Registration): string {
  const rows: [string, string | undefined][] = [
    [api === "v0.1" ? "endpoint" : "image", target],
    ["operator", identity && `${identity.type}, dimension ${identity.dimension}`],
    ["health", health && `${health}, says Phantoscope`],
    ["answer", answer],
    [
      "next",
      api === "master" ? `curl -X POST ${url}/v1/operator/${name}/instances/1   (starts it)` : undefined,
    ],
  ];
  const lines = rows.flatMap(([key, value]) => (value ? [`  ${key.padEnd(10)}${value}\n`] : []));
  return `${name} is registered with Phantoscope at ${url} (API ${api})\n${lines.join("")}`;
}
