// What objects say of themselves, in words, each with a look: good, busy, bad or open.

const BUSY = new Set([
  ..."Provisioning Restoring Resizing Retiring Upgrading AwaitingWindow AwaitingApproval".split(" "),
  ..."AwaitingCredentials Creating Waiting Starting Running Resolving FirstBackupPending".split(" "),
]);

// The word for True, for False, and for what is not known.
const WORDS = {
  Accepted: ["Accepted", "Refused", "Not decided"],
  Serving: ["Serving", "Not serving", "Not seen yet"],
  Settled: ["Settled", "Changing", "Not seen yet"],
  BackupCurrent: ["Current", "Not current", "None yet"],
  RecoveryProven: ["Proven", "Not proven", "Not proven yet"],
  Ready: ["Ready", "Not ready", "Not seen yet"],
  Synced: ["In step", "Out of step", "Not seen yet"],
  Responsive: ["Responsive", "Held back", "Not seen yet"],
  Succeeded: ["Succeeded", "Not done", "Not begun"],
};

export const LABELS = { BackupCurrent: "Backup", RecoveryProven: "Recovery", Synced: "Reconciled" };
export const label = (type) => LABELS[type] ?? type;

/** "HonouredWithWaivers" becomes "Honoured with waivers". */
export function plain(word) {
  const spaced = (word ?? "").replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase();
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
}

export const condition = (object, type) => object.status?.conditions?.find((one) => one.type === type);

/** Return {look, word} of a condition; without one it is open. */
export function stateOf(type, found) {
  const words = WORDS[type] ?? ["Yes", "No", "Unknown"];
  if (found?.status === "True") return { look: "good", word: words[0] };
  if (found?.status === "False") {
    const busy = BUSY.has(found.reason) && type !== "Accepted";
    return { look: busy ? "busy" : "bad", word: words[1] };
  }
  if (type === "BackupCurrent" && found?.reason === "NotPromised") return { look: "open", word: "Not promised" };
  return { look: "open", word: words[2] };
}

/** Return {look, word, why} of a whole claim. */
export function claimState(claim) {
  const of = (type) => condition(claim, type);
  const not = (type) => of(type)?.status === "False";
  const why = (type) => of(type)?.message || plain(of(type)?.reason);
  if (claim.metadata.deletionTimestamp) return { look: "busy", word: "Being deleted", why: "" };
  if (not("Accepted")) return { look: "bad", word: "Refused", why: why("Accepted") };
  if (not("Synced")) return { look: "bad", word: "Not reconciled", why: why("Synced") };
  if (not("Serving")) {
    const { look } = stateOf("Serving", of("Serving"));
    return { look, word: look === "busy" ? plain(of("Serving").reason) : "Not serving", why: why("Serving") };
  }
  if (of("Serving")?.status !== "True") return { look: "open", word: "Not seen yet", why: "" };
  if (not("BackupCurrent")) return { look: "bad", word: "Serving, backup not current", why: why("BackupCurrent") };
  if (not("Settled")) return { look: "busy", word: "Serving, changing", why: why("Settled") };
  return { look: "good", word: "Serving", why: "" };
}

/** Return {look, word, why} of an object that was composed. */
export function objectState(object) {
  if (!object) return { look: "open", word: "Not there yet", why: "" };
  if (object.metadata.deletionTimestamp) return { look: "busy", word: "Being deleted", why: "" };
  for (const type of ["Ready", "Succeeded", "Available", "Synced"]) {
    const found = condition(object, type);
    if (!found) continue;
    const state = stateOf(type, found);
    const word = found.status === "True" && type === "Succeeded" ? "Succeeded" : plain(found.reason) || state.word;
    return { look: state.look, word, why: found.message ?? "" };
  }
  return { look: object.status ? "open" : "good", word: object.status ? "Not seen yet" : "There", why: "" };
}

/** "XDatabase" becomes "Database". */
export const contract = (kind) => kind.replace(/^X(?=[A-Z])/, "");

const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
const relative = new Intl.RelativeTimeFormat("en", { numeric: "always" });
const absolute = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" });

/** Return how long ago `text` was. */
export function ago(text, now = Date.now()) {
  const seconds = Math.round((Date.parse(text) - now) / 1000);
  if (Math.abs(seconds) < 5) return "just now";
  const [unit, length] = UNITS.find(([, size]) => Math.abs(seconds) >= size);
  return relative.format(Math.trunc(seconds / length), unit);
}

export const moment = (text) => absolute.format(new Date(text));

/** Return seconds as people say them: "15 minutes". */
export function span(seconds) {
  const [unit, length] = UNITS.find(([, size]) => seconds >= size && seconds % size === 0) ?? UNITS[3];
  const count = seconds / length;
  return `${count} ${unit}${count === 1 ? "" : "s"}`;
}
