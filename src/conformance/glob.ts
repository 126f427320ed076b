/** A pattern in which `*` stands for any run of characters, `/` included; everything else is literal. */
export function globToRegExp(pattern: string): RegExp {
  const literals = pattern.split("*").map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, "\\$&"));
  return new RegExp(`^${literals.join(".*")}$`);
}
