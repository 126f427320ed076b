import { type Command, Option } from "commander";
import { commandName } from "../node/command-name.ts";
import {
  addCacheOption,
  addEngineOption,
  addModelsDirOption,
  addVariantOption,
  describeCache,
} from "./common-options.ts";
import { describeEnvironment } from "./doctor-environment.ts";
import { describeMachine, describePeers } from "./doctor-machine.ts";
import { describeModels, type SelfCheckOptions, selfCheck } from "./doctor-model.ts";
import { checkPort } from "./doctor-port.ts";
import { describeFindings, type Finding, reportFindings } from "./doctor-report.ts";
import { packageVersion } from "./package-version.ts";

interface DoctorOptions extends SelfCheckOptions {
  readonly listen?: string;
  readonly json?: true;
}

export function addDoctorCommand(program: Command): void {
  addEngineOption(
    addVariantOption(
      addModelsDirOption(addCacheOption(program.command("doctor")))
        .description("say what a bug report needs to tell, and check that Portico can work here")
        .addOption(
          new Option("--model <name>", "model that the self-check runs")
            .env("PORTICO_MODEL")
            .default("resnet50"),
        ),
    ),
  )
    .option("--listen <host:port>", "address that serve would get, to see whether it is free")
    .option("--json", "print a JSON object: {version, ok, checks: [{name, state, value}]}")
    .addHelpText(
      "after",
      `
Nothing is fetched, written or sent: the network is not tried, and a model that is not prepared stays so.
Values of variables that hold secrets are left out; folders are shown as they are.
Exit code 1 if anything that was checked failed.
${describeCache()}

Example:
  ${commandName()} doctor`,
    )
    .action(doctorCommand);
}

async function doctorCommand(options: DoctorOptions): Promise<void> {
  const models = await describeModels(options);
  const findings: readonly Finding[] = [
    ...describeMachine(),
    ...models,
    await selfCheck(options, models),
    await checkPort(options.listen, process.env.OP_ENDPOINT),
    { name: "npm registry", state: "unchecked", value: "not checked: no network is tried" },
    ...describePeers(),
    ...describeEnvironment(process.env),
  ];
  const report = reportFindings(packageVersion(), findings);
  const text = options.json ? JSON.stringify(report, undefined, 2) : describeFindings(findings);
  process.stdout.write(`${text}\n`);
  if (!report.ok) process.exitCode = 1;
}
