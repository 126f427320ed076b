import type { SelfCheck } from "../../src/embed/self-check.ts";
import { readVectorGolden } from "../../src/node/model/vector-golden.ts";

/** The photograph that all engines get as a tensor, and the vector that real Keras gives for it. */
export const peerPicture = (): Promise<SelfCheck> => readVectorGolden("photo/allium-oreophilum.jpg");
