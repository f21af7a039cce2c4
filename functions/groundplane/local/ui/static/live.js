// Objects of the plane as they are now: listed once, then watched, and found again after every interruption.

import { get, Refused, watch, WrongToken } from "/api.js";

const FIRST_MS = 400;
const LONGEST_MS = 8000;
const GONE = 410;

export class Live {
  /** `changed` is called after every change of objects or of `state`: connecting, live, lost, token. */
  constructor(changed) {
    this.state = "connecting";
    this.why = "";
    this.again = 0;
    this._changed = changed;
    this._held = new Map(); // path: {objects, version}
    this._wanted = [];
    this._stop = new AbortController();
    this._wake = () => {};
  }

  /** Watch `paths`, and nothing else. */
  want(paths) {
    const wanted = [...new Set(paths)].sort();
    if (wanted.join() === this._wanted.join()) return;
    this._wanted = wanted;
    for (const path of this._held.keys()) if (!wanted.includes(path)) this._held.delete(path);
    this.retry();
  }

  /** Try at once what would be tried later. */
  retry() {
    this._stop.abort();
    this._stop = new AbortController();
    this._wake();
  }

  /** Return the objects at `path`, or null while nothing is known. */
  objects(path) {
    const held = this._held.get(path);
    return held ? [...held.objects.values()] : null;
  }

  /** Go on for ever. */
  async run() {
    let pause = FIRST_MS;
    for (;;) {
      const stop = this._stop.signal;
      try {
        await this._list(stop);
        this._is("live");
        pause = FIRST_MS;
        await this._watch(stop);
        if (!stop.aborted) await this._rest(FIRST_MS); // it was ended, by the plane perhaps: no hurry
      } catch (error) {
        if (stop.aborted) continue;
        if (error instanceof WrongToken) {
          this._is("token");
          await this._rest(null);
        } else if (error instanceof Refused && error.code === GONE) {
          this._held.clear();
        } else {
          this._is("lost", error instanceof Refused ? error.message : "this page's server does not answer", pause);
          await this._rest(pause);
          pause = Math.min(pause * 2, LONGEST_MS);
        }
      }
    }
  }

  _is(state, why = "", pause = 0) {
    Object.assign(this, { state, why, again: Date.now() + pause });
    this._changed();
  }

  async _list(stop) {
    const missing = this._wanted.filter((path) => !this._held.has(path));
    await Promise.all(missing.map((path) => this._listOne(path, stop)));
    if (!missing.length && this._wanted.length) await get("/version", stop); // is it there, does it know the token?
  }

  async _listOne(path, stop) {
    try {
      const found = await get(path, stop);
      const objects = new Map(found.items.map((one) => [one.metadata.uid, { kind: kindOf(found), ...one }]));
      this._held.set(path, { objects, version: found.metadata.resourceVersion });
    } catch (error) {
      if (!(error instanceof Refused && error.code === 404)) throw error;
      if (/does not answer/.test(error.message)) throw error;
      this._held.set(path, { objects: new Map(), version: null }); // not served: nothing to watch
    }
  }

  async _watch(stop) {
    const paths = this._wanted.filter((path) => this._held.get(path)?.version);
    if (!paths.length) return this._rest(null);
    const asked = (path) => `${path}?watch=1&allowWatchBookmarks=true&resourceVersion=${this._held.get(path).version}`;
    return watch(paths.map(asked), (number, event) => this._heard(paths[number], event), stop);
  }

  _heard(path, { type, object }) {
    const held = this._held.get(path);
    if (!held) return;
    held.version = object.metadata.resourceVersion;
    if (type === "BOOKMARK") return;
    if (type === "DELETED") held.objects.delete(object.metadata.uid);
    else held.objects.set(object.metadata.uid, object);
    this._changed();
  }

  _rest(ms) {
    return new Promise((done) => {
      const timer = ms === null ? null : setTimeout(done, ms);
      this._wake = () => {
        clearTimeout(timer);
        done();
      };
    });
  }
}

const kindOf = (list) => list.kind.replace(/List$/, "");
