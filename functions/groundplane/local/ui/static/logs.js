// The last lines of a program's log, and those that come.

import { get } from "/api.js";
import { h } from "/dom.js";
import { objectState } from "/words.js";

const EVERY_MS = 1000;
const LINES = 1000;

/** Return the section; its text is filled by `Tail`. */
export function logs(composed, choice) {
  const found = composed.filter(({ ref }) => ref.kind === "Process" || ref.kind === "Task");
  const programs = found.map(({ ref }) => ref);
  if (!programs.length) return h("p", { class: "quiet" }, "Nothing runs on this machine for it.");
  const chosen = chosenOf(found, choice);
  return [
    h("div", { class: "choices" },
      h("label", { for: "program" }, "Program"),
      h("select", { id: "program", "data-choose": "program" }, programs.map(({ kind, name }) =>
        h("option", { value: `${kind}/${name}`, selected: chosen === `${kind}/${name}` }, `${kind} ${name}`))),
      h("label", { class: "tick" },
        h("input", { type: "checkbox", "data-choose": "follow", checked: choice.follow !== false }), " Follow")),
    h("pre", { id: "log", tabindex: "0", role: "region", "aria-label": `Log of ${chosen.replace("/", " ")}`,
      "data-own": true, "data-log": chosen }),
  ];
}

/** Return what a person has chosen, or what has failed, or the first. */
function chosenOf(found, choice) {
  const all = found.map(({ ref }) => `${ref.kind}/${ref.name}`);
  if (all.includes(choice.program)) return choice.program;
  return all[Math.max(0, found.findIndex(({ object }) => objectState(object).look === "bad"))];
}

/** Fills the element "log" of the page that is shown, as long as there is one. */
export class Tail {
  constructor() {
    this._of = null;
    this._asks = false;
    this._choice = {};
    setInterval(() => this.look(), EVERY_MS);
  }

  /** Ask for what is new; `follow` false keeps what is there. */
  async look(choice = this._choice) {
    this._choice = choice;
    const place = document.getElementById("log");
    if (!place || this._asks) return;
    const of = `${choice.namespace}/${place.dataset.log}`;
    if (of === this._of && (choice.follow === false || document.hidden)) return;
    if (of !== this._of) Object.assign(this, { _of: of, _after: "" });
    this._asks = true;
    try {
      await this._fill(place, choice.namespace);
    } catch {
      // The banner tells what is wrong; the next look asks again.
    } finally {
      this._asks = false;
    }
  }

  async _fill(place, namespace) {
    const [kind, name] = place.dataset.log.split("/");
    const asked = new URLSearchParams({ namespace, kind: kind.toLowerCase(), name, after: this._after });
    const { text, after, goesOn } = await get(`/logs?${asked}`);
    if (!place.isConnected || this._of !== `${namespace}/${place.dataset.log}`) return;
    const stays = goesOn && this._after !== "";
    this._after = after;
    if (stays && !text) return;
    const atEnd = place.scrollTop + place.clientHeight >= place.scrollHeight - 24;
    const lines = ((stays ? place.textContent : "") + text).split("\n");
    place.textContent = lines.slice(-LINES).join("\n") || "It has said nothing yet.";
    if (atEnd || !stays) place.scrollTop = place.scrollHeight;
  }
}
