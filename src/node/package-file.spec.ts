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
