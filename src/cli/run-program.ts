import { readFileSync } from "node:fs";
import { constants } from "node:os";
import { Command } from "commander";
import { commandName } from "../node/command-name.ts";
import { packageFile } from "../node/package-file.ts";
import { addCompareCommand } from "./compare.ts";
import { addConformanceCommand } from "./conformance.ts";
import { addDoctorCommand } from "./doctor.ts";
import { dropEmptyVariables } from "./drop-empty-variables.ts";
import { addEmbedCommand } from "./embed.ts";
import { addImportCommand } from "./import.ts";
import { addPageCommand } from "./page.ts";
import { addPrepareCommand } from "./prepare.ts";
import { addRegisterCommand } from "./register.ts";
import { reportError } from "./report-error.ts";
import { addServeCommand } from "./serve.ts";
import { usageError } from "./usage-error.ts";
import { addVerifyCommand } from "./verify.ts";

const { version, description } = JSON.parse(readFileSync(packageFile("package.json"), "utf8")) as {
  version: string;
  description: string;
};

dropEmptyVariables(process.env);

const name = commandName();
const program = new Command(name)
  .description(description)
  .version(version)
  .configureOutput({ outputError: (text, write) => write(usageError(text)) })
  .showHelpAfterError(`(${name} COMMAND --help lists the options)`)
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2))
  .addHelpText(
    "after",
    `
Examples:
  ${name} serve
      serve ResNet50 on 127.0.0.1:52001
  ${name} embed photos/ --out vectors.npy
      embed a folder of pictures
  ${name} verify
      compare this machine's vectors with Keras's
  ${name} conformance --endpoint 127.0.0.1:52001
      test any operator against the contract

Exit codes: 0 done, 1 failed (one line on stderr says why), 2 wrong usage or setting.`,
  );

addServeCommand(program);
addPrepareCommand(program);
addImportCommand(program);
addEmbedCommand(program);
addVerifyCommand(program);
addCompareCommand(program);
addConformanceCommand(program);
addDoctorCommand(program);
addRegisterCommand(program);
addPageCommand(program);

// Whoever reads may have had enough (`| head -1`): no error, but the end, as SIGPIPE would have it.
process.stdout.on("error", (error: NodeJS.ErrnoException) =>
  process.exit(error.code === "EPIPE" ? 128 + constants.signals.SIGPIPE : reportError(error)),
);

// Whoever read what is told beside the work has gone: that is no reason to end it.
process.stderr.on("error", () => undefined);

try {
  await program.parseAsync();
} catch (error) {
  // Workers or a download may still be under way; nothing of them is worth waiting for.
  process.exit(reportError(error));
}
