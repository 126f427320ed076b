import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import {
  type Comparison,
  describeOverlaps,
  escapeHtml,
  pageStart,
  pageSummary,
  pictureRow,
} from "./compare-page.ts";

const near = (...indices: number[]) => indices.map((index) => ({ index, squaredL2: 0.5, cosine: 0.75 }));
const model = {
  fingerprint: "sha256:00",
  dimension: 2,
  engine: "simd",
  totalMs: 1,
  decodeMs: 1,
  preprocessMs: 1,
  inferMs: 1,
};

function comparison(count: number, ...lists: (readonly number[])[][]): Comparison {
  return {
    models: lists.map((neighbours, index) => ({
      ...model,
      label: `m${index + 1}`,
      neighbours: neighbours.map((list) => near(...list)),
    })),
    pictures: (lists[0] ?? []).map((_, index) => ({
      name: `${index}.jpg`,
      thumbnail: index,
      width: 4,
      height: 3,
    })),
    failures: [],
    count,
  };
}

test.each([
  [
    `<img src=x onerror="alert('1')">&amp;`,
    "&lt;img src=x onerror=&quot;alert(&#39;1&#39;)&quot;&gt;&amp;amp;",
  ],
  // A right-to-left override, an escape, a lone surrogate, a zero-width space.
  ["gpj\u202e.exe \u001b[31m \ud800 a\u200bb", "gpj\ufffd.exe \ufffd[31m \ufffd a\ufffdb"],
  ["naïve 猫 🐈.jpg", "naïve 猫 🐈.jpg"],
])("%j is text in HTML", (text, html) => {
  expect(escapeHtml(text)).toBe(html);
});

test("the policy allows the page's own style and data pictures, nothing else", () => {
  const page = pageStart(["a", "<b>"]);
  const style = /<style>([\s\S]*?)<\/style>/.exec(page)?.[1] ?? "";
  const hash = createHash("sha256").update(style).digest("base64");
  expect(page).toContain(
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'">`,
  );
  expect(page).toContain("<title>Nearest neighbours: a, &lt;b&gt;</title>");
});

describe("how much models agree is said", () => {
  test.each([
    [
      "of two",
      comparison(
        2,
        [
          [1, 2],
          [0, 2],
          [0, 1],
        ],
        [
          [2, 1],
          [0, 2],
          [1, 0],
        ],
      ),
      ["m1 and m2 share 100.0 % of 2 neighbours, and have the same nearest for 33.3 % of the pictures"],
    ],
    [
      "of three",
      comparison(1, [[1], [0]], [[1], [0]], [[0], [1]]),
      [
        "m1 and m2 have the same nearest for 100.0 % of the pictures",
        "m1 and m3 have the same nearest for 0.0 % of the pictures",
        "m2 and m3 have the same nearest for 0.0 % of the pictures",
      ],
    ],
    ["of one picture", comparison(0, [[]], [[]]), ["m1 and m2: no neighbours to compare"]],
  ])("%s", (_, all, lines) => {
    expect(describeOverlaps(all)).toEqual(lines);
  });
});

test.each([
  [comparison(0, [[]], [[]]), "One picture, so there are no neighbours."],
  [comparison(0, [], []), "No picture, so there are no neighbours."],
  [comparison(1, [[1], [0]], [[1], [0]]), "Of each of 2 pictures, the nearest other by each model."],
  [
    comparison(
      2,
      [
        [1, 2],
        [0, 2],
        [0, 1],
      ],
      [[], [], []],
    ),
    "Of each of 3 pictures, the 2 nearest others by each model.",
  ],
])("the page says what it shows", (all, text) => {
  expect(pageSummary(all)).toContain(`<p>${text} L2² is `);
});

test("a neighbour that no other model has is marked", () => {
  const row = pictureRow(
    comparison(
      2,
      [
        [1, 2],
        [0, 2],
        [0, 1],
        [0, 1],
      ],
      [[3, 1], [], [], []],
    ),
    0,
  );
  const items = [...row.matchAll(/<li( class="own")?>.*?<bdi>(.*?)<\/bdi>.*?(only here)?<\/span><\/li>/g)];
  expect(items.map(([, own, name, mark]) => [name, own !== undefined, mark !== undefined])).toEqual([
    ["1.jpg", false, false],
    ["2.jpg", true, true],
    ["3.jpg", true, true],
    ["1.jpg", false, false],
  ]);
  expect(row).toContain('<span class="number">L2² 0.5000</span> <span class="number">cosine 0.7500</span>');
});

test("a picture without any other says so", () => {
  expect(pictureRow(comparison(0, [[]], [[]]), 0).match(/There is no other picture\./g)).toHaveLength(2);
});
