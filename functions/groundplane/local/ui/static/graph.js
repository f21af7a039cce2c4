// What a claim is made of: a drawing, and the same as a table.

import { said } from "/backups.js";
import { h } from "/dom.js";
import { table } from "/parts.js";
import { claimState, contract, objectState } from "/words.js";

const ROW = 60;
const BOX = 46;
const NARROW = 640;

export function graph(claim, composed) {
  const parts = composed.map((one) => ({ ...one, now: one.hidden ? HIDDEN : objectState(one.object) }));
  if (!parts.length) return h("p", { class: "quiet" }, "Nothing is composed yet.");
  return [
    drawing(claim, parts),
    h("details", { "data-key": "table" },
      h("summary", {}, "The same as a table"),
      table("What this claim is made of", ["Name", "Kind", "State"], parts.map(({ ref, object, hidden, now }) => [
        `${ref.kind}/${ref.name}`, ref.name, ref.kind, hidden ? now.why : said(object)]))),
  ];
}

const HIDDEN = { look: "open", word: "Not shown", why: "Secrets are never shown here." };

function drawing(claim, parts) {
  const width = Math.max(260, Math.min(1040, document.getElementById("main").clientWidth - 32));
  const narrow = width < NARROW;
  const top = narrow ? ROW + 8 : 0;
  const height = top + parts.length * ROW;
  const root = narrow
    ? { x: 1, y: 1, w: width - 2 }
    : { x: 1, y: (height - BOX) / 2, w: Math.round(width * 0.34) };
  const left = narrow ? 34 : Math.round(width * 0.5);
  const places = parts.map((part, index) => ({ part, x: left, y: top + index * ROW + (ROW - BOX) / 2, w: width - left - 1 }));
  const now = claimState(claim);
  return h("svg:svg",
    { class: "graph", viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": spoken(claim, parts) },
    places.map((place) => h("svg:path", {
      class: `edge ${place.part.now.look}`, "data-edge": `${place.part.ref.kind}/${place.part.ref.name}`,
      d: narrow ? elbow(root, place) : curve(root, place) })),
    node(root, now, claim.metadata.name, `${contract(claim.kind)}: ${now.word}`, "root"),
    places.map((place) => node(place, place.part.now, place.part.ref.name, `${place.part.ref.kind}: ${place.part.now.word}`, "")));
}

function spoken(claim, parts) {
  const told = parts.map(({ ref, now }) => `${ref.kind} ${ref.name}: ${now.word}`).join("; ");
  return `${claim.metadata.name} is made of ${parts.length} objects. ${told}. The table below has the same.`;
}

function curve(root, place) {
  const [x1, y1, x2, y2] = [root.x + root.w, root.y + BOX / 2, place.x, place.y + BOX / 2];
  const middle = (x1 + x2) / 2;
  return `M${x1} ${y1}C${middle} ${y1} ${middle} ${y2} ${x2} ${y2}`;
}

function elbow(root, place) {
  const y = place.y + BOX / 2;
  return `M${root.x + 16} ${root.y + BOX}V${y - 8}q0 8 8 8H${place.x}`;
}

const fits = (text, width, letter) => {
  const most = Math.max(4, Math.floor(width / letter));
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
};

const SHAPES = {
  good: ["M-5 .3l3.2 3.2L5 -4"],
  busy: ["M0 -4.5V0l3.2 2.2"],
  bad: ["M0 -5v5.4M0 4v.4"],
  open: ["M-4 0h8"],
};

const node = ({ x, y, w }, { look }, name, under, more) =>
  h("svg:g", { class: `node ${look} ${more}`.trim(), transform: `translate(${x} ${y})` },
    h("svg:rect", { width: w, height: BOX, rx: 9 }),
    h("svg:circle", { cx: 23, cy: BOX / 2, r: 10 }),
    h("svg:path", { class: "in", d: SHAPES[look][0], transform: `translate(23 ${BOX / 2})` }),
    h("svg:text", { x: 43, y: 20, class: "name" }, fits(name, w - 52, 7.6)),
    h("svg:text", { x: 43, y: 36, class: "under" }, fits(under, w - 52, 6.5)),
    h("svg:title", {}, `${name}, ${under}`));
