// Changes, for people who hear the page: one short sentence for each claim that is another way now.

import { claimState } from "/words.js";

const TOGETHER_MS = 600;

export class Teller {
  constructor(place) {
    this._place = place;
    this._known = null;
    this._told = [];
  }

  /** Compare `claims`, an array of [plural, object] or null, with those of last time. */
  hear(claims) {
    if (!claims) return;
    const now = new Map(claims.map(([, claim]) => [claim.metadata.uid, [claim, claimState(claim).word]]));
    const before = this._known;
    this._known = now;
    if (!before) return;
    for (const [uid, [claim, word]] of now) if (before.get(uid)?.[1] !== word) this._say(claim, word);
    for (const [uid, [claim]] of before) if (!now.has(uid)) this._say(claim, "deleted");
  }

  _say({ metadata }, word) {
    if (!this._told.length) {
      setTimeout(() => {
        this._place.textContent = this._told.join(" ");
        this._told = [];
      }, TOGETHER_MS);
    }
    this._told.push(`${metadata.name} in ${metadata.namespace}: ${word}.`);
  }
}
