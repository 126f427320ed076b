import { joinLayer } from "../broadcast.ts";

/** Keras `Multiply`, and Keras 3's `x * y` without a layer. */
export const multiply = joinLayer("Mul", "multiplies");
