import { Command } from "commander";
import { describe, expect, test } from "vitest";
import { runPortico } from "../../tools/run-portico.ts";
import { addModelOptions, type ModelOptions, toModelChoices, toOneModel } from "./model-options.ts";

describe("toModelChoices", () => {
  test.each([
    { options: {}, choices: ["resnet50 fp32"] },
    { options: { variant: ["int8"] }, choices: ["resnet50 int8"] },
    { options: { model: ["vgg19"], variant: ["vgg19=fp16"] }, choices: ["vgg19 fp16"] },
    { options: { model: ["b", "a"], variant: ["a=int8"] }, choices: ["b fp32", "a int8"] },
    { options: { model: ["b", "a"], variant: ["a=int8", "b=fp16"] }, choices: ["b fp16", "a int8"] },
  ])("$options", ({ options, choices }) => {
    expect(toModelChoices(options).map(({ name, variant }) => `${name} ${variant}`)).toEqual(choices);
  });

  test.each([
    {
      options: { model: ["a", "b", "a"] },
      message: "expected each --model once, got a twice",
    },
    {
      options: { model: ["a", "b"], variant: ["int8"] },
      message: 'expected --variant MODEL=NAME with several models, for example b=int8, got "int8"',
    },
    {
      options: { model: ["a", "b"], variant: ["c=int8"] },
      message: 'expected --variant of one of the models a, b, got "c=int8"',
    },
    {
      options: { model: ["a"], variant: ["a=int4"] },
      message: 'expected --variant fp32, fp16, int8, got "int4"',
    },
    {
      options: { variant: ["int8", "resnet50=fp16"] },
      message: "expected one --variant for resnet50, got two",
    },
  ])("refuses $options", ({ options, message }) => {
    expect(() => toModelChoices(options)).toThrow(
      expect.objectContaining({ reason: "CONFIG_INVALID", message }),
    );
  });
});

test.each([
  { env: undefined, args: [], models: ["resnet50"] },
  { env: "vgg19", args: [], models: ["vgg19"] },
  { env: "vgg19", args: ["--model", "vgg16", "--model", "resnet50"], models: ["vgg16", "resnet50"] },
])("PORTICO_MODEL $env and $args: $models", ({ env, args, models }) => {
  if (env !== undefined) process.env.PORTICO_MODEL = env;
  try {
    const options = addModelOptions(new Command()).parse(args, { from: "user" }).opts<ModelOptions>();
    expect(toModelChoices(options).map(({ name }) => name)).toEqual(models);
  } finally {
    delete process.env.PORTICO_MODEL;
  }
});

test("a processor is told of one model", () => {
  expect(toOneModel({})).toBe("resnet50");
  expect(() => toOneModel({ model: ["a", "b"] })).toThrow("expected one --model with --processor, got a, b");
});

test.each([
  {
    name: "a model that is named twice",
    args: ["--model", "resnet50", "--model", "resnet50"],
    stderr: "portico: expected each --model once, got resnet50 twice\n",
  },
  {
    name: "a second model that does not exist",
    args: ["--model", "resnet50", "--model", "resnet5", "--models-dir", "no-such-folder"],
    stderr: /^portico: there is no model "resnet5"; known models: .*resnet50.*\n$/,
  },
])("portico serve ends with one line on $name", async ({ args, stderr }) => {
  const run = await runPortico(["serve", "--listen", "127.0.0.1:0", ...args]);
  expect(run).toEqual({
    code: 2,
    stdout: "",
    stderr: typeof stderr === "string" ? stderr : expect.stringMatching(stderr),
  });
});
