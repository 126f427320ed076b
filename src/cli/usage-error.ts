/**
 * Commander's errors in the words of ours. For an option's value that one of our parsers refused, which says what
 * it expected and got, commander says first that the value is invalid: here once is enough.
 */
export function usageError(text: string): string {
  return text
    .replace(
      /^error: option '(?:-\w, )?(--[\w-]+)[^']*' argument '.*?' is invalid\. (?=expected )/s,
      "portico: $1: ",
    )
    .replace(/^error: /, "portico: ");
}
