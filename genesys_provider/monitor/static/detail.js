// The detail view of a target or source: configuration, reason of a failure, timeline, audit entries.

import { badge, bars, el, seconds, stamp, tone, word } from "./words.js";

const section = document.getElementById("detail");
let shown = ""; // the address of the object on display

const LABELS = {
  id: "Id", endpointUrl: "Endpoint", authType: "Authentication", eventTypes: "Event types", owner: "Owner",
  retryPolicy: "Retry policy", headerNames: "Headers", selfUri: "API path", awsAccountId: "AWS account",
  awsRegion: "AWS region", eventSourceSuffix: "Suffix", topics: "Topics", notes: "Notes", enabled: "Enabled",
  configVersion: "Version",
};

function said(value) {
  if (value === null || value === undefined || value === "") return "—";
  if (Array.isArray(value)) return value.join(", ") || "none";
  if (typeof value === "object") return Object.entries(value).map(([name, each]) => `${name} ${each}`).join(", ");
  return String(value);
}

const percent = (share) => (share === null || share === undefined ? "—" : `${(share * 100).toFixed(2)} %`);

function facts(pairs) {
  return el("dl", "", pairs.flatMap(([name, value]) => [el("dt", "", name), el("dd", "", value)]));
}

function entry(at, ...content) {
  return el("li", "", [el("span", "", stamp(at)), el("span", "", content)]);
}

function step(each) {
  const reason = each.reason ? el("span", "quiet", `  ${each.reason}`) : null;
  if (each.before === each.after) return entry(each.at, badge(each.after), reason);
  const before = each.before ? `${word(each.before)} → ` : "first seen  ";
  return entry(each.at, el("span", "quiet", `${each.what}  ${before}`), badge(each.after), reason);
}

/** The last requested health check; the page may be redrawn while it runs. */
let check = { id: "", running: false, said: "" };

function showCheck() {
  const button = section.querySelector("#check");
  if (button?.dataset.id !== check.id) return;
  button.disabled = check.running;
  button.nextElementSibling.textContent = check.said;
}

async function checkHealth(id) {
  const asked = { id, running: true, said: "Genesys Cloud is checking the endpoint …" };
  check = asked;
  showCheck();
  try {
    const got = await fetch(`/api/targets/${encodeURIComponent(id)}/health`, { method: "POST" });
    const { health, reason, error } = await got.json();
    asked.said = error ?? (reason ? `${health}: ${reason}` : health);
  } catch {
    asked.said = "The monitor does not answer. Try again when it is running.";
  }
  asked.running = false;
  showCheck();
}

function checkButton(thing) {
  const button = el("button", "", "Check health now", { type: "button", id: "check" });
  button.dataset.id = thing.id;
  button.addEventListener("click", () => checkHealth(thing.id));
  return [button, el("span", "quiet", "", { role: "status" })];
}

function draw(thing) {
  const target = thing.kind === "target";
  const verified = target ? "verified" : "active";
  const [button, answer] = target && thing.status !== "GONE" ? checkButton(thing) : [null, null];
  const back = el("a", "back", "← all", { href: "#" });
  section.replaceChildren(
    back,
    el("h2", "", thing.name),
    el("p", "line", [
      badge(thing.status), el("span", "quiet", ["since ", stamp(thing.since, "before the first reading")]), bars(thing.bars),
      thing.health ? el("span", tone(thing.health), `health ${word(thing.health)}`) : null, button, answer,
    ]),
    thing.reason ? el("p", "reason", thing.reason) : "",
    el("h3", "", `Time ${verified}`),
    facts([
      ["24 hours", percent(thing.shares["24h"])], ["7 days", percent(thing.shares["7d"])],
      ["30 days", percent(thing.shares["30d"])],
      ...(target ? [["Last verification", seconds(thing.verificationSeconds) || "—"]] : []),
    ]),
    el("h3", "", "Configuration"),
    facts(Object.entries(LABELS).filter(([name]) => name in thing).map(([name, label]) => [label, said(thing[name])])),
    el("h3", "", "Timeline"),
    thing.timeline.length ? el("ol", "entries", thing.timeline.map(step)) : el("p", "quiet", "Nothing has changed yet."),
    el("h3", "", "Audit entries"),
    thing.audit.length
      ? el("ol", "entries", [...thing.audit].reverse().map((each) => entry(each.timestamp,
        each.event, el("span", "quiet", `  ${seconds(each.latencySeconds)}  ${each.error ?? ""}`))))
      : el("p", "quiet", "None. Without an audit file there are no entries: start the monitor with --audit-log FILE."),
  );
}

/** Shows the object that the address names; false if it names none. */
export async function open(hash, { again = false } = {}) {
  const found = /^#(target|source)\/(.+)$/.exec(hash);
  section.hidden = !found;
  if (!found) {
    shown = "";
    return false;
  }
  const [, kind, id] = found;
  const news = shown !== hash;
  shown = hash;
  if (!again && !news) return true;
  const got = await fetch(`/api/${kind}s/${id}`).catch(() => null);
  if (shown !== hash) return true;
  if (got?.ok) {
    const focused = section.contains(document.activeElement) && document.activeElement.id === "check";
    draw(await got.json());
    if (news && !check.running) check = { id: "", running: false, said: "" };
    showCheck();
    if (!news && focused) section.querySelector("#check")?.focus();
    if (news) {
      section.querySelector(".back").focus({ preventScroll: true });
      scrollTo(0, 0);
    }
  } else if (news) {
    section.replaceChildren(
      el("a", "back", "← all", { href: "#" }),
      el("p", "empty", got?.status === 404
        ? `There is no ${kind} with this id. It never existed, or was deleted long ago.`
        : "The monitor does not answer. Retrying automatically."),
    );
  }
  return true;
}
