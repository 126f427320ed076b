import { expect, test } from "vitest";
import { packageFileError } from "./package-file.ts";

test("a file of the package that cannot be used: which, why, and what helps", () => {
  const cause = new Error("ENOENT: no such file or directory");
  expect(packageFileError("/app/models/a.json", cause)).toMatchObject({
    reason: "CONFIG_INVALID",
    message:
      "/app/models/a.json cannot be used: ENOENT: no such file or directory; it is part of Portico, so install Portico, or build or pull its image, again",
    cause,
  });
});

test("with too many files open another copy would not help", () => {
  const cause = Object.assign(new Error("EMFILE: too many open files"), { code: "EMFILE" });
  expect(packageFileError("/app/a.wasm", cause).message).toBe(
    "/app/a.wasm cannot be used: EMFILE: too many open files",
  );
});
