import { expect, test } from "vitest";
import { parseWeightName } from "./variable-names.ts";

test.each([
  ["conv1/kernel:0", "conv1", "kernel"],
  ["conv1/kernel", "conv1", "kernel"],
  ["head/d1/bias:0", "head/d1", "bias"],
  ["depthwise/depthwise_kernel:0", "depthwise", "depthwise_kernel"],
  ["bn/moving_variance:0", "bn", "moving_variance"],
  ["kernel", "", "kernel"],
  // As the releases of 2016 and 2017 have them.
  ["conv1_W:0", "", "kernel"],
  ["block1_conv1_W_1:0", "", "kernel"],
  ["block1_conv1_b_1:0", "", "bias"],
  ["bn2a_branch2a_running_mean:0", "", "moving_mean"],
  ["batchnormalization_1_running_std:0", "", "moving_variance"],
  ["batchnormalization_1_gamma:0", "", "gamma"],
  ["separableconvolution2d_1_depthwise_kernel:0", "", "depthwise_kernel"],
])("%s", (name, prefix, variable) => {
  expect(parseWeightName(name)).toEqual({ prefix, variable });
});
