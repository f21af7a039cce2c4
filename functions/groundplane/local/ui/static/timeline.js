// What happened to a claim: its conditions' last changes and the events about it and its parts, newest first.

import { h } from "/dom.js";
import { sign, time } from "/parts.js";
import { label, moment, plain, stateOf } from "/words.js";

const FIRST = 20;
const CHOICES = [["all", "Everything"], ["conditions", "Conditions"], ["events", "Events"]];

export function timeline(claim, composed, events, choice) {
  const chosen = choice.timeline ?? "all";
  const entries = happenings(claim, composed, events).filter((one) => chosen === "all" || one.of === chosen);
  const shown = choice.older ? entries : entries.slice(0, FIRST);
  return [
    h("div", { class: "choices", role: "group", "aria-label": "What is listed" }, CHOICES.map(([value, word]) =>
      h("button", { type: "button", "data-choose": "timeline", "data-value": value, "aria-pressed": String(value === chosen) },
        word))),
    entries.length
      ? h("ol", { class: "happened" }, shown.map(entry))
      : h("p", { class: "quiet" }, "Nothing is known. The plane keeps events for an hour."),
    entries.length > shown.length
      ? h("button", { type: "button", "data-choose": "older", "data-value": "yes" }, `Show ${entries.length - shown.length} older`)
      : null,
  ];
}

/** Return all that is known, newest first. */
export function happenings(claim, composed, events) {
  const parts = new Set([claim, ...composed.map((one) => one.object)].filter(Boolean).map((one) => one.metadata.uid));
  const found = (claim.status?.conditions ?? []).map((one) => ({
    of: "conditions",
    key: `condition-${one.type}`,
    at: one.lastTransitionTime,
    look: stateOf(one.type, one).look,
    about: "",
    word: named(label(one.type), stateOf(one.type, one).word),
    said: one.message || (plain(one.reason) === stateOf(one.type, one).word ? "" : plain(one.reason)),
  }));
  for (const event of events ?? []) {
    if (!parts.has(event.involvedObject?.uid)) continue;
    found.push({
      of: "events",
      key: event.metadata.uid,
      at: event.lastTimestamp ?? event.eventTime ?? event.metadata.creationTimestamp,
      look: event.type === "Warning" ? "bad" : "note",
      about: `${event.involvedObject.kind} ${event.involvedObject.name}`,
      word: plain(event.reason),
      said: event.message === event.reason ? "" : (event.message ?? ""),
      count: event.count ?? event.series?.count ?? 1,
    });
  }
  // A browser's time ends at milliseconds; what it takes for the same moment, the text tells apart.
  const later = (one, other) => Date.parse(other.at) - Date.parse(one.at) || other.at.localeCompare(one.at);
  return found.sort((one, other) => later(one, other) || one.key.localeCompare(other.key));
}

// "Not serving" needs no name before it.
const named = (name, word) =>
  word.toLowerCase().includes(name.toLowerCase()) ? word : `${name}: ${word.toLowerCase()}`;

const entry = ({ of, key, at, look, about, word, said, count }) =>
  h("li", { "data-key": key, class: of },
    look === "note" ? h("span", { class: "dot", "aria-hidden": "true" }) : sign(look),
    h("div", {},
      h("p", { class: "what" }, h("strong", {}, word), " ", h("span", { class: "quiet" }, about),
        count > 1 ? h("span", { class: "quiet" }, `, ${count} times`) : null),
      said ? h("p", { class: "said" }, said) : null,
      h("p", { class: "when" }, time(at), h("span", { class: "quiet" }, ` ${moment(at)}`))));
