import { fileURLToPath } from "node:url";

/** The folder that holds `conformance/` and `fixtures/`: they lie beside `src` and, shipped, beside `dist`. */
export const packageFolder = fileURLToPath(new URL("../../", import.meta.url));
