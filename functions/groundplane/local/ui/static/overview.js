// All claims, by namespace.

import { h } from "/dom.js";
import { facts, state } from "/parts.js";
import { claimState, condition, contract, label, stateOf } from "/words.js";

const SHOWN = ["Ready", "Accepted", "Serving", "BackupCurrent"];

export const address = (claim, plural) =>
  `#/claim/${plural}/${claim.metadata.namespace}/${claim.metadata.name}`;

/** Return the page for `claims`, an array of [plural, object], or null while nothing is known. */
export function overview(claims) {
  if (!claims) return [h("h1", {}, "Claims"), h("p", { class: "quiet" }, "Asking the plane")];
  if (!claims.length) return [h("h1", {}, "Claims"), nothing()];
  const spaces = Map.groupBy
    ? Map.groupBy(claims, spaceOf)
    : claims.reduce((all, one) => all.set(spaceOf(one), [...(all.get(spaceOf(one)) ?? []), one]), new Map());
  return [
    h("h1", {}, "Claims"),
    h("p", { class: "lead" }, summary(claims)),
    [...spaces].sort(([one], [other]) => one.localeCompare(other)).map(([space, own]) =>
      h("section", { "data-key": space, class: "space", "aria-labelledby": `space-${space}` },
        h("h2", { id: `space-${space}` }, space),
        h("ul", { class: "claims" }, own.sort(byName).map(card)))),
  ];
}

const spaceOf = ([, claim]) => claim.metadata.namespace;
const byName = ([, one], [, other]) =>
  one.metadata.name.localeCompare(other.metadata.name) || one.kind.localeCompare(other.kind);

function summary(claims) {
  const looks = claims.map(([, claim]) => claimState(claim).look);
  const count = (look) => looks.filter((one) => one === look).length;
  const words = [[count("good"), "serving"], [count("busy"), "changing"], [count("bad"), "in need of attention"],
    [count("open"), "not seen yet"]];
  const told = words.filter(([number]) => number).map(([number, word]) => `${number} ${word}`).join(", ");
  return `${claims.length} claim${claims.length === 1 ? "" : "s"}: ${told}.`;
}

function card([plural, claim]) {
  const { name, uid } = claim.metadata;
  const now = claimState(claim);
  const engine = claim.status?.engine;
  return h("li", { "data-key": uid, class: `claim ${now.look}` },
    h("div", { class: "head" },
      h("h3", {}, h("a", { href: address(claim, plural) }, name)),
      state(now, "badge")),
    h("p", { class: "quiet" }, [contract(claim.kind), claim.status?.version ?? claim.spec?.version].filter(Boolean).join(" "),
      engine ? ` by ${engine}` : "",
      (claim.status?.endpoints ?? []).map(({ host, port }) => [" at ", h("code", {}, `${host ?? "?"}:${port ?? "?"}`)])),
    now.why ? h("p", { class: "why" }, now.why) : null,
    facts(SHOWN.map((type) => [label(type), state(stateOf(type, condition(claim, type)))]), "states"));
}

const nothing = () =>
  h("div", { class: "empty" },
    h("p", { class: "lead" }, "There are no claims yet."),
    h("p", {}, "A claim of four lines is enough for a database:"),
    h("pre", { tabindex: "0" }, [
      "apiVersion: groundplane.dev/v1alpha1", "kind: XDatabase", "metadata: {name: orders}",
      "spec: {version: \"17\", tier: Development, storage: {size: 1Gi}}"].join("\n")),
    h("p", {}, "Write it to claim.yaml, and apply it: ", h("code", {}, "kubectl apply -f claim.yaml")));
