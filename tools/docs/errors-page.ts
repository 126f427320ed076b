import { Code } from "@connectrpc/connect";
import { type Reason, reasonMeanings } from "../../src/errors.ts";
import { codeByReason } from "../../src/service/reason-code.ts";

/** The text of docs/errors.md, from the tables in the code. */
export function errorsPage(): string {
  const rows = (Object.keys(reasonMeanings) as Reason[]).map(
    (reason) => `| \`${reason}\` | ${codeName(codeByReason[reason])} | ${reasonMeanings[reason]} |`,
  );
  return `# Errors

This page is written by \`npm run generate\`; edit \`src/errors.ts\` or \`src/service/reason-code.ts\`.

A failed call has an RPC code and a message that starts with its reason. Reasons are stable: match on them,
not on the text behind.

When items of an Execute call fail, the whole call fails, because a shorter reply would shift vectors. The
error then carries a \`portico.v1.BatchFailure\` detail (proto/portico/v1/errors.proto): every failed index by
reason, and a message for each of the first failed items. If a retry may cure one of the failures, its code is
the code of the call; otherwise the code is INVALID_ARGUMENT.

| reason | code | meaning |
|---|---|---|
${rows.join("\n")}
`;
}

/** gRPC's spelling: INVALID_ARGUMENT for \`Code.InvalidArgument\`. */
function codeName(code: Code): string {
  const name = Code[code] as string;
  return name === "Canceled" ? "CANCELLED" : name.replace(/(?<=[a-z])(?=[A-Z])/g, "_").toUpperCase();
}
