// One claim.

import { backups } from "/backups.js";
import { h } from "/dom.js";
import { graph } from "/graph.js";
import { logs } from "/logs.js";
import { facts, section, state, time } from "/parts.js";
import { timeline } from "/timeline.js";
import { claimState, condition, contract, label, plain, span, stateOf } from "/words.js";

const ASKED = ["Accepted", "Serving", "Settled", "BackupCurrent", "RecoveryProven", "Ready", "Synced"];

/**
 * Return the page of a claim.
 *
 * `composed` is an array of {ref, object, hidden}, `events` those of its namespace, `choice` what a person has chosen.
 */
export function claimPage(claim, composed, events, choice) {
  const now = claimState(claim);
  const { name, namespace } = claim.metadata;
  return [
    h("p", { class: "crumbs" }, h("a", { href: "#/" }, "All claims"), h("span", { "aria-hidden": "true" }, " / "), namespace),
    h("div", { class: "title" }, h("h1", {}, name), state(now, "badge large")),
    h("p", { class: "lead" }, sentence(claim)),
    now.why ? h("p", { class: `notice ${now.look}` }, now.why) : null,
    section("use", "How to use it", use(claim, namespace)),
    section("conditions", "How it stands", conditions(claim)),
    section("parts", "What it is made of", graph(claim, composed)),
    section("backups", "Backups", backups(claim, composed)),
    section("timeline", "What happened", timeline(claim, composed, events, choice)),
    section("logs", "What its programs say", logs(composed, choice)),
  ];
}

/** Return the page where a claim is not there (any more). */
export const missing = (name, known) => [
  h("p", { class: "crumbs" }, h("a", { href: "#/" }, "All claims")),
  h("h1", {}, name),
  h("p", { class: "lead" }, known ? "This claim is not there. It may have been deleted." : "Asking the plane"),
];

function sentence({ kind, spec = {}, status = {} }) {
  const version = status.version ?? spec.version;
  const size = status.effective?.resources;
  return [
    `${contract(kind)}${version ? ` ${version}` : ""}${status.engine ? `, served by ${status.engine}` : ""}`,
    size ? `${size.cpu} CPU and ${size.memory} memory` : null,
    spec.storage?.size ? `${spec.storage.size} storage` : null,
    spec.tier ? `tier ${spec.tier}` : null,
  ].filter(Boolean).join("; ") + ".";
}

function use(claim, namespace) {
  const { status = {}, spec = {} } = claim;
  const endpoints = (status.endpoints ?? []).map((one) =>
    h("div", {}, h("code", {}, `${one.host ?? "?"}:${one.port ?? "?"}`), ` ${one.name}`));
  const command = `groundplane binding ${claim.kind.toLowerCase()}/${claim.metadata.name} -n ${namespace}`;
  const binding = status.binding?.name;
  const effective = status.effective ?? {};
  return facts([
    ["Address", endpoints.length ? endpoints : "Not there yet"],
    ["Binding", binding
      ? [h("div", {}, "Secret ", h("code", {}, binding)),
        h("div", { class: "quiet" }, "What it holds is never shown here. ", h("code", {}, command), " prints it.")]
      : "Not there yet: it comes once everything in it is known."],
    ["Deletion", deletion(status.deletion?.inForce ?? effective.deletionPolicy ?? spec.deletionPolicy)],
    ["Objectives", objectives(effective.objectives)],
    ["Not given", status.waived?.length ? status.waived.map((one) => h("div", {}, waived(one))) : null],
    ["Moves", status.migration?.phase ? `${plain(status.migration.phase)}. ${status.migration.message ?? ""}` : null],
  ]);
}

const waived = ({ guarantee, asked, given }) =>
  `${plain(guarantee)}: asked ${asked ?? "nothing"}, given ${given === "NotYet" ? "not yet" : given.toLowerCase()}`;

const deletion = (policy) =>
  ({
    Protect: "Protected: the API refuses to delete it.",
    Delete: "Deleting the claim deletes its data. Backups stay for their retention.",
    Retain: "Deleting the claim leaves its data.",
  })[policy];

function objectives(asked) {
  if (!asked) return null;
  const { failureTolerance, rpoSeconds, rtoSeconds } = asked;
  return [
    rpoSeconds ? h("div", {}, `A restore loses at most ${span(rpoSeconds)}.`) : null,
    rtoSeconds ? h("div", {}, `A restore takes at most ${span(rtoSeconds)}.`) : null,
    failureTolerance
      ? h("div", {}, failureTolerance === "None" ? "Survives no failure by itself." : `Survives the loss of a ${failureTolerance.toLowerCase()}.`)
      : null,
  ];
}

function conditions(claim) {
  const others = (claim.status?.conditions ?? []).map((one) => one.type).filter((type) => !ASKED.includes(type));
  return h("ul", { class: "conditions" }, [...ASKED, ...others].map((type) => {
    const found = condition(claim, type);
    const reason = plain(found?.reason);
    const { look, word } = stateOf(type, found);
    return h("li", { "data-key": type },
      h("span", { class: "what" }, label(type)),
      state({ look, word }),
      h("span", { class: "quiet" }, reason && reason !== word ? `${reason}. ` : "", found?.lastTransitionTime ? ["Since ", time(found.lastTransitionTime)] : ""),
      found?.message ? h("span", { class: "said" }, found.message) : null);
  }));
}
