import type { DescEnum, DescExtension, DescFile, DescMessage } from "@bufbuild/protobuf";

/** Finds the file that defines something. Names are full names without a leading dot. */
export interface ReflectionIndex {
  fileByName(name: string): DescFile | undefined;
  /** Messages, fields, oneofs, enums, enum values, extensions, services and methods. */
  fileBySymbol(symbol: string): DescFile | undefined;
  fileByExtension(extendee: string, number: number): DescFile | undefined;
  /** Rising field numbers of all extensions of a message; undefined where there is no such message. */
  extensionNumbers(extendee: string): number[] | undefined;
}

/** Indexes `files` and everything that they import. */
export function createReflectionIndex(files: readonly DescFile[]): ReflectionIndex {
  const byName = new Map<string, DescFile>();
  const bySymbol = new Map<string, DescFile>();
  const extensions = new Map<string, Map<number, DescFile>>();
  const messages = new Set<string>();

  function addMessage(message: DescMessage): void {
    messages.add(message.typeName);
    bySymbol.set(message.typeName, message.file);
    for (const member of [...message.fields, ...message.oneofs]) {
      bySymbol.set(`${message.typeName}.${member.name}`, message.file);
    }
    for (const nested of message.nestedMessages) addMessage(nested);
    for (const nested of message.nestedEnums) addEnum(nested);
    for (const nested of message.nestedExtensions) addExtension(nested);
  }

  function addEnum(description: DescEnum): void {
    bySymbol.set(description.typeName, description.file);
    // A value's full name lies beside its enum, not inside it (descriptor.proto, EnumValueDescriptorProto).
    const scope = description.typeName.slice(0, description.typeName.lastIndexOf(".") + 1);
    for (const value of description.values) bySymbol.set(scope + value.name, description.file);
  }

  function addExtension(extension: DescExtension): void {
    bySymbol.set(extension.typeName, extension.file);
    const byNumber = extensions.get(extension.extendee.typeName) ?? new Map<number, DescFile>();
    extensions.set(extension.extendee.typeName, byNumber.set(extension.number, extension.file));
  }

  for (const file of files.flatMap(withImports)) {
    const name = file.proto.name;
    if (byName.has(name)) continue;
    byName.set(name, file);
    for (const message of file.messages) addMessage(message);
    for (const description of file.enums) addEnum(description);
    for (const extension of file.extensions) addExtension(extension);
    for (const service of file.services) {
      bySymbol.set(service.typeName, file);
      for (const method of service.methods) bySymbol.set(`${service.typeName}.${method.name}`, file);
    }
  }

  return {
    fileByName: (name) => byName.get(name),
    fileBySymbol: (symbol) => bySymbol.get(symbol),
    fileByExtension: (extendee, number) => extensions.get(extendee)?.get(number),
    extensionNumbers(extendee) {
      if (!messages.has(extendee)) return undefined;
      return [...(extensions.get(extendee)?.keys() ?? [])].sort((a, b) => a - b);
    },
  };
}

/** `file`, then everything that it imports, directly or not, each once. */
export function withImports(file: DescFile): DescFile[] {
  const found = new Set([file]);
  // A set iterates over what is added on the way.
  for (const { dependencies } of found) for (const dependency of dependencies) found.add(dependency);
  return [...found];
}
