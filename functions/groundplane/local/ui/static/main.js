// The page: which part of it is shown, what that needs of the plane, and what is told when something changes.

import { collection, get, hasToken, keepToken, takeToken } from "/api.js";
import { claimPage, missing } from "/claim.js";
import { show } from "/dom.js";
import { Live } from "/live.js";
import { Tail } from "/logs.js";
import { overview } from "/overview.js";
import { planePage } from "/plane.js";
import { Teller } from "/telling.js";
import { banner, tokenPage } from "/troubles.js";

const EXTENSIONS = "/apis/apiextensions.crossplane.io";
const DEFINITIONS = `${EXTENSIONS}/v2/compositeresourcedefinitions`;
const COMPOSITIONS = `${EXTENSIONS}/v1/compositions`;
const ENVIRONMENTS = `${EXTENSIONS}/v1beta1/environmentconfigs`;
const KINDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const NAMESPACES = "/api/v1/namespaces";
const OURS = "groundplane.dev";
const SECRET = "Secret";

const live = new Live(() => soon());
const tail = new Tail();
const teller = new Teller(document.getElementById("told"));
const choice = {};
const places = new Map(); // "apiVersion kind namespace": where such objects are
let version = null;
let drawn = false;

function soon() {
  if (drawn) return;
  drawn = true;
  // A page in the background draws too: requestAnimationFrame alone would wait there.
  (document.hidden ? setTimeout : requestAnimationFrame)(() => {
    drawn = false;
    draw();
  });
}

const definitions = () =>
  (live.objects(DEFINITIONS) ?? []).filter(({ spec }) => spec.group === OURS).map(({ spec }) => {
    const { name } = spec.versions.find((one) => one.referenceable) ?? spec.versions[0];
    return { kind: spec.names.kind, plural: spec.names.plural, path: `/apis/${OURS}/${name}/${spec.names.plural}` };
  });

function claims() {
  const lists = definitions().map(({ plural, path }) => [plural, live.objects(path)]);
  if (!live.objects(DEFINITIONS) || lists.some(([, found]) => !found)) return null;
  return lists.flatMap(([plural, found]) => found.map((one) => [plural, one]));
}

function draw() {
  const [, page = "", plural, namespace, name] = location.hash.split("/").map(decodeURIComponent);
  const here = { page, plural, namespace, name };
  live.want([DEFINITIONS, ...definitions().map(({ path }) => path), ...wanted(here)]);
  show(document.getElementById("banner"), banner(live, hasToken()));
  show(document.getElementById("main"), live.state === "token" ? tokenPage() : content(here));
  marks(page === "plane" ? "plane" : "claims", name);
  if (live.state !== "lost") teller.hear(claims());
  choice.namespace = namespace;
  tail.look(choice);
}

function wanted({ page, plural, namespace, name }) {
  if (page === "plane") return [COMPOSITIONS, ENVIRONMENTS, KINDS, NAMESPACES];
  if (page !== "claim") return [];
  const found = claimOf(plural, namespace, name);
  const parts = refs(found).map((ref) => placeOf(ref, namespace)).filter(Boolean);
  return [`/api/v1/namespaces/${namespace}/events`, ...parts];
}

const claimOf = (plural, namespace, name) =>
  (claims() ?? []).find(([own, { metadata }]) => own === plural && metadata.namespace === namespace && metadata.name === name)?.[1];

const refs = (claim) => claim?.spec?.crossplane?.resourceRefs ?? [];

function placeOf({ apiVersion, kind }, namespace) {
  const key = `${apiVersion} ${kind} ${namespace}`;
  if (kind !== SECRET && !places.has(key)) {
    places.set(key, null);
    collection(apiVersion, kind, namespace).then((found) => places.set(key, found), () => places.delete(key)).then(soon);
  }
  return places.get(key);
}

function content({ page, plural, namespace, name }) {
  if (page === "plane") return planeContent();
  if (page !== "claim") return overview(claims());
  const claim = claimOf(plural, namespace, name);
  if (!claim) return missing(name, claims());
  const composed = refs(claim).map((ref) => ({
    ref,
    hidden: ref.kind === SECRET,
    object: (live.objects(placeOf(ref, namespace)) ?? []).find((one) => one.metadata.name === ref.name),
  }));
  return claimPage(claim, composed, live.objects(`/api/v1/namespaces/${namespace}/events`), choice);
}

function planeContent() {
  if (!version && live.state === "live") get("/version").then((found) => { version = found; soon(); }, () => {});
  return planePage({
    version,
    definitions: (live.objects(DEFINITIONS) ?? []).filter(({ spec }) => spec.group === OURS),
    kinds: live.objects(KINDS),
    compositions: live.objects(COMPOSITIONS),
    environments: live.objects(ENVIRONMENTS),
    namespaces: live.objects(NAMESPACES),
  });
}

function marks(page, name) {
  document.title = [name, page === "plane" ? "Plane" : "Claims", "Groundplane"].filter(Boolean).join(" · ");
  for (const link of document.querySelectorAll("nav a")) {
    if (link.dataset.page === page) link.setAttribute("aria-current", name ? "true" : "page");
    else link.removeAttribute("aria-current");
  }
  const words = { connecting: "Connecting", live: "Live", lost: "Not connected", token: "No access" };
  const link = document.getElementById("link");
  link.dataset.state = live.state;
  if (link.textContent !== words[live.state]) link.textContent = words[live.state];
}

addEventListener("hashchange", () => {
  if (location.hash.startsWith("#token=")) {
    takeToken();
    live.retry();
  }
  draw();
  scrollTo(0, 0);
  document.getElementById("main").focus({ preventScroll: true });
});

document.getElementById("skip").addEventListener("click", (event) => {
  event.preventDefault(); // the address names the page that is shown
  document.getElementById("main").focus();
});

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-choose]");
  if (button) choose(button.dataset.choose, button.dataset.value);
  if (event.target.closest("button[data-retry]")) live.retry();
});

document.addEventListener("change", ({ target }) => {
  if (target.matches("select[data-choose], input[data-choose]")) {
    choose(target.dataset.choose, target.type === "checkbox" ? target.checked : target.value);
  }
});

document.addEventListener("submit", (event) => {
  event.preventDefault();
  keepToken(new FormData(event.target).get("token"));
  live.retry();
});

function choose(what, value) {
  choice[what] = value;
  draw();
}

takeToken();
addEventListener("resize", soon);
addEventListener("online", () => live.retry());
setInterval(soon, 10_000); // times are told relative to now
draw();
live.run();
