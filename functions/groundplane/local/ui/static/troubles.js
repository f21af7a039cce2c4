// What is shown when the plane cannot be asked.

import { h } from "/dom.js";

/** Return the banner for `live`; nothing when all is well. */
export const banner = (live) =>
  live.state !== "lost" ? [] : [
    h("div", { class: "wide" },
      h("p", {}, h("strong", {}, "Connection lost. "), `What you see may be old: ${live.why}. It is tried again by itself.`),
      h("button", { type: "button", "data-retry": true }, "Try now")),
  ];

export const tokenPage = () => [
  h("h1", {}, "The plane does not know this token"),
  h("p", { class: "lead" }, "Open the address that groundplane ui prints; the token is a part of it. Or enter the token here."),
  h("form", { class: "token" },
    h("label", { for: "token" }, "Token"),
    h("input", { id: "token", name: "token", type: "password", autocomplete: "off", spellcheck: "false", required: true,
      "aria-describedby": "token-where" }),
    h("button", { type: "submit" }, "Use this token"),
    h("p", { id: "token-where", class: "quiet" }, "It stands in the plane's kubeconfig; ", h("code", {}, "groundplane kubeconfig"),
      " tells where that is. This page keeps it until the tab is closed.")),
];
