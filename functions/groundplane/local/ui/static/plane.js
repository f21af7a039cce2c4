// The plane itself.

import { h } from "/dom.js";
import { facts, section, table, time } from "/parts.js";

const ENGINE = "groundplane.dev/engine";
const RELEASE = "groundplane.dev/release";

/** Return the page; `found` holds version, and arrays that are null while they are not known. */
export function planePage({ version, definitions, kinds, compositions, environments, namespaces }) {
  const release = (kinds ?? []).map((one) => one.metadata.annotations?.[RELEASE]).find(Boolean);
  return [
    h("h1", {}, "Plane"),
    h("p", { class: "lead" }, "One process on this machine: the API, the reconciler and the provider."),
    section("about", "About", facts([
      ["Groundplane", release],
      ["API", version?.gitVersion],
      ["Claims", (definitions ?? []).map((one) => one.spec.names.kind).sort().join(", ") || "none yet"],
      ["Namespaces", namespaces ? String(namespaces.length) : null],
    ])),
    section("environments", "Environments", environments?.length
      ? byName(environments).map(environment) : h("p", { class: "quiet" }, "There are none.")),
    section("compositions", "Compositions", compositions?.length
      ? table("Compositions", ["Composition", "Claim", "Engine", "Since"], byName(compositions).map((one) => [
        one.metadata.uid, one.metadata.name, one.spec.compositeTypeRef.kind, one.metadata.labels?.[ENGINE] ?? "",
        time(one.metadata.creationTimestamp)]))
      : h("p", { class: "quiet" }, "There are none.")),
  ];
}

const byName = (objects) => [...objects].sort((one, other) => one.metadata.name.localeCompare(other.metadata.name));

const environment = ({ metadata, data }) =>
  h("details", { "data-key": metadata.uid },
    h("summary", {}, h("strong", {}, metadata.name), " ", h("span", { class: "quiet" }, Object.keys(data ?? {}).join(", "))),
    h("pre", { tabindex: "0", role: "region", "aria-label": `Environment ${metadata.name}` }, told(data ?? {}).join("\n")));

function told(value, indent = "") {
  return Object.entries(value).flatMap(([name, held]) => {
    const word = Array.isArray(value) ? "-" : `${name}:`;
    if (held !== null && typeof held === "object") {
      return Object.keys(held).length ? [`${indent}${word}`, ...told(held, `${indent}  `)] : [`${indent}${word} none`];
    }
    return [`${indent}${word} ${held}`];
  });
}
