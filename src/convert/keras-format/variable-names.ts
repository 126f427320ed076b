/** What Keras 1 called a variable, and what it is called since; its `running_std` holds the variance. */
const renamed: ReadonlyMap<string, string> = new Map([
  ["W", "kernel"],
  ["b", "bias"],
  ["running_mean", "moving_mean"],
  ["running_std", "moving_variance"],
]);

/** `conv1_W`, `conv1_W_1`, `bn_gamma_1`: the name of a layer and its variable in one, as Keras 1 has it. */
const keras1Name =
  /^.+?_(depthwise_kernel|pointwise_kernel|running_mean|running_std|gamma|beta|alpha|W|b)(?:_\d+)?$/;

/** A weight's name in a file: the variable, and what stands before it. */
interface WeightName {
  /** Mostly the layer's name, or a variation of it; empty if the name holds the variable alone. */
  readonly prefix: string;
  readonly variable: string;
}

/**
 * `conv1/kernel:0`, `conv1/kernel` or, as in the files of Keras 1 that Keras 2 still reads, `conv1_W_1:0`. The
 * number behind the colon is TensorFlow's and always 0.
 */
export function parseWeightName(name: string): WeightName {
  const bare = name.replace(/:0$/, "");
  const slash = bare.lastIndexOf("/");
  const variable = bare.slice(slash + 1);
  const old = keras1Name.exec(variable)?.[1];
  return {
    prefix: bare.slice(0, Math.max(slash, 0)),
    variable: old === undefined ? variable : (renamed.get(old) ?? old),
  };
}
