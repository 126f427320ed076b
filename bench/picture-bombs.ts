import { cpus } from "node:os";
import { largestPictures } from "../tools/mutation/largest-pictures.ts";
import { measurePictureBombs } from "../tools/mutation/measure-picture-bombs.ts";
import { pictureBombs } from "../tools/mutation/picture-bombs.ts";

/**
 * What each bomb of a picture costs, and what the largest pictures cost that are taken: `node bench/picture-bombs.ts
 * [PART OF A NAME]`. Each is decoded, and made a small tensor of, in a process of its own. The time is the
 * processor's, of the decoding thread; memory is the largest resident size beyond that before.
 */

const wanted = process.argv[2] ?? "";
console.log(`${cpus()[0]?.model.trim()}, Node ${process.version}, ${new Date().toISOString().slice(0, 10)}`);
for (const [title, first, pictures] of [
  ["bomb", 0, pictureBombs],
  ["49 megapixels", pictureBombs.length, largestPictures],
] as const) {
  console.log(`\n| ${title} | bytes | outcome | processor time | extra memory |`);
  console.log("|---|---:|---|---:|---:|");
  for (const [place, { name, outcome: expected }] of pictures.entries()) {
    if (!name.includes(wanted)) continue;
    const [report] = await measurePictureBombs([first + place]);
    const { encodedBytes, outcome, cpuMs, extraBytes } = report!;
    const cells = [
      name,
      encodedBytes.toLocaleString("en"),
      outcome === expected ? outcome : `${outcome} (expected ${expected})`,
      `${cpuMs.toFixed(cpuMs < 10 ? 1 : 0)} ms`,
      `${Math.round(extraBytes / 2 ** 20)} MiB`,
    ];
    console.log(`| ${cells.join(" | ")} |`);
  }
}
