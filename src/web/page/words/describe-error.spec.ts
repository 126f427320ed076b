import { expect, test } from "vitest";
import { type Reason, reasonMeanings } from "../../../errors.ts";
import { describeError } from "./describe-error.ts";

test("an error is a sentence for everybody, its own message and its reason", () => {
  expect(describeError({ reason: "IMAGE_CORRUPT", message: "corrupt PNG: truncated" })).toEqual({
    sentence: "The picture is damaged or incomplete.",
    particulars: "corrupt PNG: truncated",
    reason: "IMAGE_CORRUPT",
  });
});

test.each(Object.keys(reasonMeanings) as Reason[])("%s is told in a sentence", (reason) => {
  expect(describeError({ reason, message: "" }).sentence).toMatch(/^[A-Z].*\w\.$/);
});
