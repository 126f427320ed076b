import { joinLayer } from "../broadcast.ts";

/** Keras `Add`, and Keras 3's `x + y` without a layer. */
export const add = joinLayer("Add", "adds");
