import { describe, expect, test } from "vitest";
import { parseSuite } from "./suite-file.ts";

const step = {
  request: { method: "Execute", datas: [{ file: "a.jpg" }] },
  expectation: { vectors: { count: 1, goldens: ["a.jpg"], tolerance: { maxAbs: 1e-6, minCosine: 1 } } },
};
const testCase = { name: "area/some-case", profile: "PROFILE_CONTRACT", steps: [step] };

const parse = (change: object, caseChange: object = {}) =>
  parseSuite(
    JSON.stringify({ name: "area_topic", cases: [{ ...testCase, ...caseChange }], ...change }),
    "area_topic.json",
  );

test("a whole suite", () => {
  const suite = parse({});
  expect(suite.cases[0]?.name).toBe("area/some-case");
  expect(suite.cases[0]?.steps[0]?.expectation?.outcome.case).toBe("vectors");
});

describe("what is refused, and in which words", () => {
  test.each([
    [
      "an unknown field",
      parse.bind(undefined, {}, { descripton: "typo" }),
      'area_topic.json: cannot decode message portico.conformance.v1.TestCase from JSON: key "descripton" is unknown',
    ],
    [
      "an unknown enum value",
      parse.bind(undefined, {}, { profile: "PROFILE_ALL" }),
      'area_topic.json: cannot decode enum portico.conformance.v1.Profile from JSON: "PROFILE_ALL"',
    ],
    ["another name than the file's", parse.bind(undefined, { name: "other" }), 'name must be "area_topic"'],
    ["no cases", parse.bind(undefined, { cases: [] }), "area_topic.json: no cases"],
    [
      "a name without area",
      parse.bind(undefined, {}, { name: "SomeCase" }),
      'SomeCase: name must be "area/kebab-case"',
    ],
    ["no profile", parse.bind(undefined, {}, { profile: undefined }), "area/some-case: profile is missing"],
    ["no steps", parse.bind(undefined, {}, { steps: [] }), "area/some-case: steps are missing"],
    [
      "no method",
      parse.bind(undefined, {}, { steps: [{ ...step, request: {} }] }),
      "step 0: request.method is missing",
    ],
    [
      "an item without source",
      parse.bind(undefined, {}, { steps: [{ ...step, request: { method: "Execute", datas: [{}] } }] }),
      "step 0: an item has no source",
    ],
    [
      "no expectation",
      parse.bind(undefined, {}, { steps: [{ request: step.request }] }),
      "step 0: expectation is missing",
    ],
    [
      "fewer goldens than vectors",
      parse.bind(
        undefined,
        {},
        {
          steps: [{ ...step, expectation: { vectors: { ...step.expectation.vectors, count: 2 } } }],
        },
      ),
      "step 0: expected 2 goldens, one for each vector, got 1",
    ],
    [
      "goldens without a tolerance",
      parse.bind(
        undefined,
        {},
        { steps: [{ ...step, expectation: { vectors: { count: 1, goldens: ["a.jpg"] } } }] },
      ),
      "step 0: goldens without a tolerance",
    ],
    [
      "a first step compared with itself",
      parse.bind(
        undefined,
        {},
        {
          steps: [{ ...step, expectation: { vectors: { count: 1, sameAsFirstStep: true } } }],
        },
      ),
      "step 0: the first step cannot be compared with itself",
    ],
    [
      "an error without a code",
      parse.bind(undefined, {}, { steps: [{ ...step, expectation: { error: {} } }] }),
      "step 0: error.code is missing",
    ],
    [
      "a reason that does not exist",
      parse.bind(
        undefined,
        {},
        {
          steps: [
            {
              ...step,
              expectation: { error: { code: "CODE_INTERNAL", items: [{ reason: "IMAGE_BROKEN" }] } },
            },
          ],
        },
      ),
      'step 0: "IMAGE_BROKEN" is no reason',
    ],
  ])("%s", (_, parseIt, message) => {
    expect(parseIt).toThrow(message);
    expect(parseIt).toThrow(expect.objectContaining({ reason: "CONFIG_INVALID" }));
  });
});
