import { execFileSync } from "node:child_process";

/** The part of a descriptor in JSON that the page needs. */
interface ProtoFile {
  readonly name: string;
  readonly package: string;
  readonly service?: readonly { readonly name: string; readonly method?: readonly ProtoMethod[] }[];
  readonly messageType?: readonly { readonly name: string; readonly field?: readonly ProtoField[] }[];
  readonly enumType?: readonly {
    readonly name: string;
    readonly value: readonly { readonly name: string; readonly number?: number }[];
  }[];
  readonly sourceCodeInfo: {
    readonly location: readonly { readonly path?: readonly number[]; readonly leadingComments?: string }[];
  };
}

interface ProtoMethod {
  readonly name: string;
  readonly inputType: string;
  readonly outputType: string;
  readonly clientStreaming?: boolean;
  readonly serverStreaming?: boolean;
}

interface ProtoField {
  readonly name: string;
  readonly number: number;
  readonly type: string;
  readonly typeName?: string;
  readonly label?: string;
  readonly oneofIndex?: number;
  readonly proto3Optional?: boolean;
}

/** Field numbers of descriptor.proto, of which a comment's path is made. */
const path = { message: 4, enum: 5, service: 6, field: 2, value: 2, method: 2 } as const;

/** The text of docs/api.md, from the comments in proto/omnisearch and proto/portico. */
export function apiPage(): string {
  const image = execFileSync(
    "buf",
    ["build", "--path", "proto/omnisearch", "--path", "proto/portico/v1", "--output", "-#format=json"],
    { encoding: "utf8", shell: process.platform === "win32" },
  );
  const { file } = JSON.parse(image) as { file: readonly ProtoFile[] };
  return `# API

This page is written by \`npm run generate\` from the comments in proto/.
${[...file]
  .sort((a, b) => a.name.localeCompare(b.name))
  .map(filePage)
  .join("")}`;
}

function filePage(file: ProtoFile): string {
  const comments = new Map(
    file.sourceCodeInfo.location.map((location) => [
      location.path?.join(".") ?? "",
      location.leadingComments,
    ]),
  );
  const comment = (...at: readonly number[]) => (comments.get(at.join(".")) ?? "").replace(/^ /gm, "").trim();
  const parts = [`\n## ${file.package} (proto/${file.name})\n`];

  for (const [place, { name, method = [] }] of (file.service ?? []).entries()) {
    parts.push(`\n### service ${name}\n\n${comment(path.service, place)}\n`);
    for (const [at, rpc] of method.entries()) {
      const input = `${rpc.clientStreaming ? "stream " : ""}${localName(rpc.inputType)}`;
      const output = `${rpc.serverStreaming ? "stream " : ""}${localName(rpc.outputType)}`;
      const text = oneLine(comment(path.service, place, path.method, at));
      parts.push(`\n- \`${rpc.name}(${input}) -> ${output}\`${text && `: ${text}`}`);
    }
    parts.push("\n");
  }
  for (const [place, { name, field = [] }] of (file.messageType ?? []).entries()) {
    parts.push(`\n### ${name}\n`, paragraph(comment(path.message, place)));
    if (field.length === 0) continue;
    const rows = field.map((entry, at) => {
      const text = oneLine(comment(path.message, place, path.field, at));
      return `| \`${entry.name}\` | ${fieldType(entry)} | ${entry.number} | ${text} |\n`;
    });
    parts.push("\n| field | type | number | |\n|---|---|---|---|\n", ...rows);
  }
  for (const [place, { name, value }] of (file.enumType ?? []).entries()) {
    const rows = value.map((entry, at) => {
      const text = oneLine(comment(path.enum, place, path.value, at));
      return `| \`${entry.name}\` | ${entry.number ?? 0} | ${text} |\n`;
    });
    parts.push(`\n### ${name}\n`, paragraph(comment(path.enum, place)));
    parts.push("\n| value | number | |\n|---|---|---|\n", ...rows);
  }
  return parts.join("");
}

function paragraph(text: string): string {
  return text && `\n${text}\n`;
}

function oneLine(text: string): string {
  return text.replace(/\s*\n\s*/g, " ");
}

function fieldType({ type, typeName, label, oneofIndex, proto3Optional }: ProtoField): string {
  const name = typeName ? localName(typeName) : type.replace("TYPE_", "").toLowerCase();
  if (label === "LABEL_REPEATED") return `repeated ${name}`;
  // Each optional field is a oneof of its own in the descriptor.
  if (proto3Optional) return `optional ${name}`;
  return oneofIndex === undefined ? name : `${name}, one of several`;
}

/** A type's name without its package. */
function localName(typeName: string): string {
  return typeName.split(".").at(-1) as string;
}
