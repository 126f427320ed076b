import { type Command, Option } from "commander";
import { commandName } from "../node/command-name.ts";
import { appendList, milliseconds } from "./common-options.ts";

interface ConformanceFlags {
  readonly endpoint?: string;
  readonly target: string;
  readonly profile: "contract" | "portico";
  readonly protocol?: string[];
  readonly filter?: string;
  readonly fixtureHost?: string;
  readonly timeoutMs: number;
  readonly json?: string;
  readonly junit?: string;
  readonly list?: boolean;
}

/** `portico conformance`: tests any operator at an endpoint against conformance/suites. */
export function addConformanceCommand(program: Command): void {
  program
    .command("conformance")
    .description("test an operator, Portico or another, against the contract and against real Keras vectors")
    .option("--endpoint <host:port>", "where the operator listens")
    .option("--target <name>", "what it claims to do, a file of conformance/targets/", "portico")
    .addOption(
      new Option(
        "--profile <name>",
        "contract: what the original passes too; portico: Portico's promises besides",
      )
        .choices(["contract", "portico"])
        .default("portico"),
    )
    .option(
      "--protocol <list>",
      "of grpc, grpc-web, connect; by default all that the target speaks",
      appendList,
    )
    .option("--filter <glob>", 'only cases whose name matches, for example "formats/*" or "*@grpc"')
    .option(
      "--fixture-host <host:port>",
      "where this command serves pictures for the operator to fetch; start Portico with --allow-hosts HOST:PORT",
    )
    .option("--timeout-ms <n>", "time for each call", milliseconds, 60_000)
    .option("--json <file>", "write the results as JSON")
    .option("--junit <file>", "write the results as JUnit XML")
    .option("--list", "print the cases and stop")
    .addHelpText(
      "after",
      `
Examples:
  ${commandName()} serve --allow-hosts 127.0.0.1:52080
  ${commandName()} conformance --endpoint 127.0.0.1:52001 --fixture-host 127.0.0.1:52080
  ${commandName()} conformance --endpoint 10.0.0.7:80 --target phantoscope --profile contract

Exit codes: 0 nothing failed, 1 a case failed, 2 wrong usage, or nobody listens at the endpoint.`,
    )
    .action(async (flags: ConformanceFlags) => {
      // Loaded when it is asked for: the gRPC client takes about 0.3 s to load.
      const { runConformance } = await import("../conformance/run-conformance.ts");
      const passed = await runConformance({
        endpoint: flags.endpoint,
        target: flags.target,
        profile: flags.profile,
        protocols: flags.protocol,
        filter: flags.filter,
        fixtureHost: flags.fixtureHost,
        timeoutMs: flags.timeoutMs,
        json: flags.json,
        junit: flags.junit,
        list: flags.list === true,
        print: (line) => process.stdout.write(`${line}\n`),
      });
      if (!passed) process.exitCode = 1;
    });
}
