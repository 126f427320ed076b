import { createHash } from "node:crypto";
import { meanOverlap, type Neighbour } from "../embed/nearest-neighbours.ts";
import type { Thumbnail } from "../node/compare/make-thumbnail.ts";
import { compareStyle } from "./compare-style.ts";

/** One of the models, and how it went. */
export interface ComparedModel {
  /** `resnet50`, or of a variant `resnet50 int8`. */
  readonly label: string;
  readonly fingerprint: string;
  readonly dimension: number;
  readonly engine: string;
  /** Wall-clock time of all pictures, and the mean of each stage, in milliseconds. */
  readonly totalMs: number;
  readonly decodeMs: number;
  readonly preprocessMs: number;
  readonly inferMs: number;
  /** Of each picture in `pictures`, its nearest. */
  readonly neighbours: readonly (readonly Neighbour[])[];
}

/** A picture that every model has embedded. `thumbnail` is its number in the store. */
export interface ComparedPicture {
  readonly name: string;
  readonly thumbnail: number;
  readonly width: number;
  readonly height: number;
}

export interface CompareFailure {
  readonly name: string;
  readonly model: string;
  readonly reason: string;
  readonly message: string;
}

export interface Comparison {
  readonly models: readonly ComparedModel[];
  readonly pictures: readonly ComparedPicture[];
  readonly failures: readonly CompareFailure[];
  /** Neighbours of each picture: as many as were asked for, or all others if there are fewer. */
  readonly count: number;
}

/**
 * The page up to its store of thumbnails, which are put in as they are made and used by number: a picture that is a
 * neighbour of a hundred others is in the file once. No script, no request: the policy allows neither.
 */
export function pageStart(labels: readonly string[]): string {
  const style = createHash("sha256").update(compareStyle).digest("base64");
  const policy = `default-src 'none'; img-src data:; style-src 'sha256-${style}'; base-uri 'none'; form-action 'none'`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>Nearest neighbours: ${labels.map(escapeHtml).join(", ")}</title>
<style>${compareStyle}</style>
</head>
<body>
<svg class="store" aria-hidden="true" focusable="false"><defs>
`;
}

export function storedThumbnail(number: number, { width, height, bytes }: Thumbnail): string {
  const data = Buffer.from(bytes).toString("base64");
  return `<image id="t${number}" width="${width}" height="${height}" href="data:image/jpeg;base64,${data}"/>\n`;
}

/** Everything before the pictures: what was compared, how much the models agree, what was left out. */
export function pageSummary(comparison: Comparison): string {
  const { models, failures } = comparison;
  return `</defs></svg>
<header>
<h1>Nearest neighbours: ${models.map(({ label }) => escapeHtml(label)).join(", ")}</h1>
<p>${describePictures(comparison)} L2² is the squared Euclidean distance of the normalised vectors, the number that Milvus
gives for its metric L2; smaller is nearer. A dashed frame marks a neighbour that no other model has.</p>
<div class="models">
${models.map(modelCard).join("\n")}
</div>
<div class="overlap">
${describeOverlaps(comparison)
  .map((line) => `<p>${escapeHtml(line)}</p>`)
  .join("\n")}
</div>
${failures.length > 0 ? failureList(failures) : ""}</header>
<main>
`;
}

function describePictures({ pictures, count }: Comparison): string {
  if (count === 0)
    return `${pictures.length === 1 ? "One picture" : "No picture"}, so there are no neighbours.`;
  return `Of each of ${pictures.length} pictures, the ${count === 1 ? "nearest other" : `${count} nearest others`} by each model.`;
}

function modelCard(
  { label, fingerprint, dimension, engine, ...times }: ComparedModel,
  index: number,
): string {
  const rows: [string, string][] = [
    ["Dimension", String(dimension)],
    ["Engine", engine],
    ["Vector space", fingerprint],
    ["All pictures", `${(times.totalMs / 1000).toFixed(1)} s`],
    [
      "One, in a thread",
      `decode ${times.decodeMs.toFixed(1)} ms, preprocess ${times.preprocessMs.toFixed(1)} ms, model ${times.inferMs.toFixed(1)} ms`,
    ],
  ];
  const list = rows.map(([key, value]) => `<dt>${key}</dt><dd>${escapeHtml(value)}</dd>`).join("");
  return `<section class="model" aria-labelledby="m${index}"><h2 id="m${index}">${escapeHtml(label)}</h2><dl>${list}</dl></section>`;
}

/** One line for each pair of models; also what the command prints. */
export function describeOverlaps({ models, count }: Comparison): string[] {
  return models.flatMap((a, index) =>
    models.slice(index + 1).map((b) => {
      const overlap = meanOverlap(a.neighbours, b.neighbours);
      const nearest = meanOverlap(
        a.neighbours.map((list) => list.slice(0, 1)),
        b.neighbours.map((list) => list.slice(0, 1)),
      );
      const pair = `${a.label} and ${b.label}`;
      if (overlap === undefined || nearest === undefined) return `${pair}: no neighbours to compare`;
      const first = `have the same nearest for ${percent(nearest)} of the pictures`;
      return count === 1
        ? `${pair} ${first}`
        : `${pair} share ${percent(overlap)} of ${count} neighbours, and ${first}`;
    }),
  );
}

const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;

function failureList(failures: readonly CompareFailure[]): string {
  const items = failures.map(
    ({ name, model, reason, message }) =>
      `<li><bdi>${escapeHtml(name)}</bdi> (${escapeHtml(model)}): ${reason}: ${escapeHtml(message)}</li>`,
  );
  const count = `${failures.length} ${failures.length === 1 ? "picture is" : "pictures are"} left out`;
  return `<section class="failures" aria-labelledby="failures"><h2 id="failures">${count}</h2><ul>\n${items.join("\n")}\n</ul></section>\n`;
}

/** The row of one picture. */
export function pictureRow({ models, pictures }: Comparison, query: number): string {
  const { name, ...thumbnail } = pictures[query] as ComparedPicture;
  const sides = models.map((model) => {
    const others = models.filter((other) => other !== model);
    const items = (model.neighbours[query] ?? []).map(({ index, squaredL2, cosine }) => {
      const isOwn = !others.some((other) => other.neighbours[query]?.some((near) => near.index === index));
      const near = pictures[index] as ComparedPicture;
      return `<li${isOwn ? ' class="own"' : ""}><a href="#q${index}">${drawThumbnail(near)}<bdi>${escapeHtml(near.name)}</bdi></a><span class="number">L2² ${squaredL2.toFixed(4)}</span> <span class="number">cosine ${cosine.toFixed(4)}</span>${isOwn ? ' <span class="mark">only here</span>' : ""}</li>`;
    });
    const list =
      items.length > 0
        ? `<ol class="near">\n${items.join("\n")}\n</ol>`
        : '<p class="quiet">There is no other picture.</p>';
    return `<section><h3>${escapeHtml(model.label)}</h3>${list}</section>`;
  });
  return `<article class="query" id="q${query}" aria-labelledby="n${query}"><div><h2 id="n${query}"><bdi>${escapeHtml(name)}</bdi></h2>${drawThumbnail(thumbnail)}</div><div class="sides">
${sides.join("\n")}
</div></article>
`;
}

/** The name beside it says what it is. */
function drawThumbnail({ thumbnail, width, height }: Omit<ComparedPicture, "name">): string {
  return `<svg class="thumb" viewBox="0 0 ${width} ${height}" aria-hidden="true" focusable="false"><use href="#t${thumbnail}"/></svg>`;
}

export const pageEnd = "</main>\n</body>\n</html>\n";

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** A stranger's text for HTML. File names may hold anything, so what would not be seen is shown as U+FFFD. */
export function escapeHtml(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}]/gu, "�").replace(/[&<>"']/g, (sign) => entities[sign] as string);
}
