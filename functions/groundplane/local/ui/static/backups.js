// Backups of a claim, in words, and the Tasks that make them.

import { h } from "/dom.js";
import { facts, state, table, time } from "/parts.js";
import { condition, objectState, stateOf } from "/words.js";

export function backups(claim, composed) {
  const { backup = {}, effective = {} } = claim.status ?? {};
  const days = effective.backup?.retentionDays;
  const found = condition(claim, "BackupCurrent");
  const tasks = composed.filter(({ ref }) => ref.kind === "Task");
  return [
    facts([
      ["State", [state(stateOf("BackupCurrent", found)), found?.message ? h("div", { class: "quiet" }, found.message) : null]],
      ["Last backup", backup.lastSuccessTime ? time(backup.lastSuccessTime) : "None yet"],
      ["Last failure", backup.lastFailureTime
        ? [time(backup.lastFailureTime), h("div", { class: "quiet" }, backup.lastFailureMessage ?? "")] : null],
      ["Can be brought back to", backup.firstRecoverableTime
        ? ["any moment since ", time(backup.firstRecoverableTime),
          backup.latestRecoverableTime ? [", up to ", time(backup.latestRecoverableTime)] : null]
        : "Nothing yet"],
      ["Kept for", days ? `${days} day${days === 1 ? "" : "s"}` : null],
      ["Name of the archive", backup.id ? h("code", {}, backup.id) : null],
    ]),
    tasks.length
      ? [h("h3", {}, "Tasks"),
        table("Tasks of this claim", ["Task", "State", "Last success"], tasks.map(({ ref, object }) => [
          ref.name, ref.name, said(object), object?.status?.lastSuccessTime ? time(object.status.lastSuccessTime) : "never"]))]
      : null,
  ];
}

export function said(object) {
  const now = objectState(object);
  return [state(now), now.why ? h("div", { class: "quiet" }, now.why) : null];
}
