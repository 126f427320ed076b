export { activate, softmax } from "./activate";
export { depthwise } from "./depthwise";
export { combine, copyRuns, fill, scaleShift } from "./elementwise";
export { layerNorm } from "./layer-norm";
export { groupSize, multiplyBlock } from "./multiply";
export { packRows } from "./pack-rows";
export { averagePool, maxPool } from "./pool";
export { transformInput2, transformOutput2 } from "./winograd2";
export { transformInput4, transformOutput4 } from "./winograd4";
