// Elements made of data, and the change of what is shown into what is wanted: what stays keeps its focus.

const SVG = "http://www.w3.org/2000/svg";

/** Return an element; a tag "svg:path" is of SVG, false and null leave an attribute or a child out. */
export function h(tag, attributes, ...children) {
  const made = tag.startsWith("svg:") ? document.createElementNS(SVG, tag.slice(4)) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value !== false && value !== null && value !== undefined) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

/** Make the children of `place` be `wanted`, an array, and touch only what differs. */
export function show(place, wanted) {
  const holder = document.createElement(place.localName);
  holder.append(...wanted.flat(Infinity).filter((one) => one));
  const focused = document.activeElement;
  children(place, holder);
  // What is moved loses its focus.
  if (focused !== document.activeElement && focused?.isConnected && place.contains(focused)) {
    focused.focus({ preventScroll: true });
  }
}

function children(from, to) {
  const kept = new Map();
  const wanted = new Set([...to.childNodes].map(key));
  for (const node of [...from.childNodes]) {
    if (key(node) && wanted.has(key(node))) kept.set(key(node), node);
    else if (key(node)) node.remove();
  }
  let here = from.firstChild;
  for (const next of [...to.childNodes]) {
    const match = key(next) ? kept.get(key(next)) : here && !key(here) && same(here, next) ? here : null;
    if (!match || !same(match, next)) {
      from.insertBefore(next, here);
    } else {
      if (match === here) here = here.nextSibling;
      else from.insertBefore(match, here);
      change(match, next);
      kept.delete(key(next));
    }
  }
  while (here) {
    const after = here.nextSibling;
    here.remove();
    here = after;
  }
}

const key = (node) => (node.nodeType === Node.ELEMENT_NODE ? node.getAttribute("data-key") : null);
const same = (one, other) => one.nodeType === other.nodeType && one.nodeName === other.nodeName;

function change(from, to) {
  if (from.nodeType !== Node.ELEMENT_NODE) {
    if (from.data !== to.data) from.data = to.data;
    return;
  }
  for (const { name, value } of to.attributes) if (from.getAttribute(name) !== value) from.setAttribute(name, value);
  for (const { name } of [...from.attributes]) {
    // What a person has opened stays open.
    if (!to.hasAttribute(name) && name !== "open") from.removeAttribute(name);
  }
  // What is marked so is filled by somebody else.
  if (!to.hasAttribute("data-own")) children(from, to);
}
