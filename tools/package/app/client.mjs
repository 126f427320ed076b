import { readFile } from "node:fs/promises";
import { askServer } from "./ask-server.js";

/** client.mjs BASE_URL PHOTO */
const [baseUrl, photo] = process.argv.slice(2);
console.log(JSON.stringify(await askServer(baseUrl, await readFile(photo))));
