// Small parts that every page uses: a state with its sign, a moment, a list of facts.

import { h } from "/dom.js";
import { ago, moment } from "/words.js";

// Signs differ by shape, so that nobody needs to see the colour.
const SIGNS = {
  good: [["circle", { cx: 8, cy: 8, r: 7 }], ["path", { d: "M4.8 8.2l2.2 2.2 4.2-4.6", class: "in" }]],
  busy: [["circle", { cx: 8, cy: 8, r: 6.2, class: "ring" }], ["path", { d: "M8 4.6V8l2.4 1.6", class: "line" }]],
  bad: [["path", { d: "M8 1l7 13.4H1z" }], ["path", { d: "M8 5.8v4M8 11.9v.3", class: "in" }]],
  open: [["circle", { cx: 8, cy: 8, r: 6.2, class: "ring dashed" }]],
};

export const sign = (look, more = {}) =>
  h("svg:svg", { viewBox: "0 0 16 16", class: `sign ${look}`, "aria-hidden": "true", ...more },
    SIGNS[look].map(([shape, attributes]) => h(`svg:${shape}`, attributes)));

export const state = ({ look, word }, more = "") =>
  h("span", { class: `state ${look} ${more}`.trim() }, sign(look), h("span", {}, word));

export const time = (text) =>
  h("time", { datetime: text, title: moment(text) }, ago(text));

/** Return a list of [name, content]; one without content is left out. */
export const facts = (entries, more = "") =>
  h("dl", { class: `facts ${more}`.trim() },
    entries.filter(([, content]) => content).map(([name, content]) =>
      h("div", { "data-key": name }, h("dt", {}, name), h("dd", {}, content))));

export const section = (id, title, ...content) =>
  h("section", { "data-key": id, id: `part-${id}`, "aria-labelledby": `${id}-title` },
    h("h2", { id: `${id}-title` }, title), content);

/** Return a table that scrolls by itself where it is too wide; rows are arrays of cells, the first one names its row. */
export const table = (caption, heads, rows) =>
  h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
    h("table", {},
      h("caption", { class: "unseen" }, caption),
      h("thead", {}, h("tr", {}, heads.map((head) => h("th", { scope: "col" }, head)))),
      h("tbody", {}, rows.map(([key, first, ...cells]) =>
        h("tr", { "data-key": key },
          h("th", { scope: "row" }, first), cells.map((cell) => h("td", {}, cell)))))));
