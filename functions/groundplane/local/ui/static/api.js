// The plane's API, as the browser is allowed to see it.

const KEPT = "groundplane.token";

/** The plane does not know the token. */
export class WrongToken extends Error {}

/** The API refuses something; `code` is HTTP's. */
export class Refused extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

/** Take the token off the address, where a bookmark or a look over the shoulder would find it. */
export function takeToken() {
  const found = /^#token=(.*)$/.exec(location.hash);
  if (!found) return;
  keepToken(decodeURIComponent(found[1]));
  history.replaceState(null, "", `${location.pathname}#/`);
}

export const keepToken = (token) => sessionStorage.setItem(KEPT, token.trim());
export const hasToken = () => Boolean(sessionStorage.getItem(KEPT));

async function ask(path, signal) {
  if (!hasToken()) throw new WrongToken();
  // A header can hold no other letters; what is typed wrong is a wrong token.
  const token = sessionStorage.getItem(KEPT).replace(/[^\x21-\x7e]/g, "?");
  const answer = await fetch(path, { headers: { Authorization: `Bearer ${token}` }, signal, cache: "no-store" });
  if (answer.status === 401) throw new WrongToken();
  if (!answer.ok) throw new Refused(answer.status, (await answer.json().catch(() => ({}))).message ?? answer.statusText);
  return answer;
}

/** Return what stands at `path`. */
export const get = async (path, signal) => (await ask(path, signal)).json();

/** Call `heard` with the index and the event of every watch in `paths`, until one of them ends. */
export async function watch(paths, heard, signal) {
  const query = paths.map((path) => `of=${encodeURIComponent(path)}`).join("&");
  const reader = (await ask(`/watch?${query}`, signal)).body.pipeThrough(new TextDecoderStream()).getReader();
  let held = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const lines = (held + value).split("\n");
    held = lines.pop();
    for (const line of lines) tell(JSON.parse(line), heard);
  }
}

function tell({ of, event, status }, heard) {
  const wrong = status ?? (event.type === "ERROR" ? event.object : null);
  if (wrong?.code === 401) throw new WrongToken();
  if (wrong) throw Object.assign(new Refused(wrong.code, wrong.message), { of });
  heard(of, event);
}

const resources = new Map();

/** Return the path of all objects of a kind in a namespace, or null when the plane does not serve it. */
export async function collection(apiVersion, kind, namespace) {
  const root = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  if (!resources.has(root)) resources.set(root, (await get(root)).resources ?? []);
  const found = resources.get(root).find((one) => one.kind === kind && !one.name.includes("/"));
  if (!found) return null;
  return found.namespaced ? `${root}/namespaces/${namespace}/${found.name}` : `${root}/${found.name}`;
}
