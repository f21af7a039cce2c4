// Looks at a page as it is shown, and returns what keeps people from using it, one line each.
() => {
  const wrong = [];
  const visible = (node) => node.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true });
  const shown = (selector) => [...document.querySelectorAll(selector)].filter(visible);
  const told = (node) => `${node.localName}${node.id ? `#${node.id}` : ""} "${node.textContent.trim().slice(0, 40)}"`;

  const nameOf = (node) =>
    node.getAttribute("aria-label") ||
    (node.getAttribute("aria-labelledby") ?? "").split(" ").map((id) => document.getElementById(id)?.textContent ?? "").join("") ||
    [...(node.labels ?? [])].map((label) => label.textContent).join("") ||
    (node.matches("input, select") ? "" : node.textContent);
  for (const node of shown("a, button, input, select, summary, [tabindex='0'], svg[role=img], section, nav, table")) {
    const name = node.localName === "table" ? node.caption?.textContent : nameOf(node);
    if (!name?.trim()) wrong.push(`no name: ${told(node)}`);
  }

  const ids = [...document.querySelectorAll("[id]")].map((node) => node.id);
  for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) wrong.push(`two of id ${id}`);
  for (const node of document.querySelectorAll("[aria-labelledby], [aria-describedby], label[for]")) {
    for (const attribute of ["aria-labelledby", "aria-describedby", "for"]) {
      const id = node.getAttribute(attribute);
      if (id && !document.getElementById(id)) wrong.push(`${attribute} names nothing: ${id}`);
    }
  }

  let level = 0;
  for (const heading of shown("h1, h2, h3, h4, h5, h6")) {
    const own = Number(heading.localName[1]);
    if (own > level + 1) wrong.push(`a heading is left out before ${told(heading)}`);
    level = own;
  }
  for (const [selector, count] of [["h1", 1], ["main", 1], ["header", 1], ["nav", 1], ["footer", 1], ["[aria-live]", 1]]) {
    if (document.querySelectorAll(selector).length !== count) wrong.push(`${selector} is not there ${count} times`);
  }
  if (document.documentElement.lang !== "en") wrong.push("no language");
  if (!document.title.includes("Groundplane")) wrong.push("no title");
  for (const node of document.querySelectorAll("td, th")) {
    if (node.localName === "th" && !node.scope) wrong.push(`th without scope: ${told(node)}`);
  }
  if (document.documentElement.scrollWidth > innerWidth) {
    wrong.push(`${document.documentElement.scrollWidth} wide, where ${innerWidth} are there`);
  }
  for (const node of shown("button, select, summary, nav a")) {
    const { width, height } = node.getBoundingClientRect();
    if (width < 24 || height < 24) wrong.push(`too small to hit: ${told(node)} ${width} x ${height}`);
  }

  const parsed = (text) => (text.match(/[\d.]+/g) ?? [0, 0, 0, 0]).map(Number);
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((part) => part / 255).map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const ratio = (one, other) => {
    const [high, low] = [light(one), light(other)].sort((x, y) => y - x);
    return (high + 0.05) / (low + 0.05);
  };
  const behind = (node) => {
    for (let here = node; here; here = here.parentElement) {
      const rect = here.localName === "g" ? here.querySelector("rect") : null;
      const [r, g, b, a = 1] = parsed(rect ? getComputedStyle(rect).fill : getComputedStyle(here).backgroundColor);
      if (a === 1) return [r, g, b];
      if (a > 0) wrong.push(`half a background: ${told(here)}`);
    }
    return [255, 255, 255];
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let texts = 0;
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || node.closest("title, noscript, option") || !visible(node)) continue;
    texts += 1;
    const style = getComputedStyle(node);
    const is = parsed(node.closest("svg") ? style.fill : style.color);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    const found = ratio(is, behind(node));
    if (found < (large ? 3 : 4.5)) wrong.push(`contrast ${found.toFixed(2)}: ${told(node)}`);
  }
  for (const node of shown(".sign")) {
    const found = ratio(parsed(getComputedStyle(node).color), behind(node.parentElement));
    if (found < 3) wrong.push(`contrast of a sign ${found.toFixed(2)}: ${told(node.parentElement)}`);
  }
  if (texts < 10) wrong.push("there is hardly anything to look at");
  return wrong;
}
