// The state of the page, and when to draw it. The server sends all rows once, then the changes.

import { open } from "./detail.js";
import { keyOf, show, step } from "./rows.js";
import { BARS, ago, el, restamp, tone, word } from "./words.js";

const $ = (id) => document.getElementById(id);
const rows = new Map();
let reading = null;
let connected = true;
const asked = new URLSearchParams(location.search);
const view = {
  kind: asked.get("kind") === "source" ? "source" : "target",
  filter: asked.get("q") ?? "",
  status: asked.get("status") ?? "",
  sort: asked.get("sort") ?? "trouble",
};

const PLURAL = { target: "targets", source: "sources" };
const EMPTY = {
  target: "This organization has no targets. Declare an EventBridgeTarget in a Pulumi program to create one.",
  source: "This organization has no EventBridge sources. Declare an EventBridgeSource in a Pulumi program to create one.",
};

// --- Data from the server -------------------------------------------------------------------------------------

function take({ reading: now, rows: changed }, whole) {
  const readings = whole || !reading ? 0 : Math.max(0, now.succeeded - reading.succeeded);
  if (whole) rows.clear();
  const told = new Set(changed.map(keyOf));
  for (const row of readings ? rows.values() : []) {
    if (!told.has(keyOf(row))) row.bars = longer(row.bars, row.status, readings);
  }
  for (const row of changed) rows.set(keyOf(row), row);
  reading = now;
  return told;
}

function longer(runs, status, readings) {
  const grown = runs.map((run) => [...run]);
  if (grown.length && grown.at(-1)[0] === status) grown.at(-1)[1] += readings;
  else grown.push([status, readings]);
  for (let over = grown.reduce((sum, [, count]) => sum + count, 0) - BARS; over > 0; ) {
    const cut = Math.min(over, grown[0][1]);
    grown[0][1] -= cut;
    over -= cut;
    if (!grown[0][1]) grown.shift();
  }
  return grown;
}

const RETRY_MILLISECONDS = 3000;
const SILENCE_MILLISECONDS = 45000; // three times the monitor's longest silence
let stream;
let heard;

function listen() {
  stream = new EventSource("/api/events");
  heard = Date.now();
  stream.addEventListener("fleet", (event) => news(JSON.parse(event.data), true));
  stream.addEventListener("changes", (event) => news(JSON.parse(event.data), false));
  stream.addEventListener("error", () => {
    connected = false;
    drawState();
    // The browser gives up for good if a proxy answers in place of the monitor.
    if (stream.readyState === EventSource.CLOSED) setTimeout(listen, RETRY_MILLISECONDS);
  });
}

function news(data, whole) {
  connected = true;
  heard = Date.now();
  const told = take(data, whole);
  draw();
  const [kind, id] = location.hash.slice(1).split("/");
  if (id && told.has(`${kind}/${decodeURIComponent(id)}`)) open(location.hash, { again: true });
}

// --- Drawing --------------------------------------------------------------------------------------------------

function draw() {
  drawState();
  drawCounts();
  const { shown, all } = show([...rows.values()], view);
  if (!shown) drawEmpty(all);
  const failed = [...rows.values()].filter((row) => tone(row.status) === "bad").length;
  document.title = `${failed ? `${failed} failed · ` : ""}EventBridge monitor`;
}

function drawState() {
  const old = !connected || !reading || reading.old;
  $("rows").classList.toggle("old", Boolean(old && rows.size));
  if (reading) {
    const limit = reading.rateLimit;
    $("where").textContent = [reading.organization, reading.apiUrl].filter(Boolean).join("  ·  ");
    $("reading").textContent = [
      reading.readAt ? `Read ${ago(reading.readAt)}, every ${reading.interval} s` : "Not read yet",
      limit ? `${limit.left} of ${limit.allowed} requests left in this minute` : "no rate limit reported",
    ].join("  ·  ");
    $("reading").title = reading.readAt ?? "";
  }
  const shown = reading?.readAt ? ` This data was read ${ago(reading.readAt)}.` : "";
  const trouble = !connected
    ? `This monitor does not answer: it has ended, or the network is down. Retrying automatically.${shown}`
    : reading?.error
      ? `Genesys Cloud can't be read: ${reading.error} Retrying every ${reading.interval} s.${shown}`
      : reading?.old && reading.readAt
        ? `The current reading is taking longer than usual.${shown}`
        : "";
  $("banner").hidden = !trouble;
  if ($("banner").textContent !== trouble) $("banner").textContent = trouble;
}

const FIRST = { target: ["VERIFIED", "PENDING_VERIFICATION", "FAILED", "TIMEOUT", "GONE"], source: ["ACTIVE"] };
const ALWAYS = { target: ["VERIFIED", "PENDING_VERIFICATION", "FAILED", "GONE"], source: ["ACTIVE"] };

function drawCounts() {
  // What was never read is not nothing.
  $("counts").hidden = !reading?.readAt;
  const counts = new Map(FIRST[view.kind].map((status) => [status, 0]));
  for (const row of rows.values()) {
    if (row.kind === view.kind) counts.set(row.status, (counts.get(row.status) ?? 0) + 1);
  }
  const focused = document.activeElement?.dataset?.status;
  const buttons = [...counts]
    .filter(([status, count]) => count || ALWAYS[view.kind].includes(status) || status === view.status)
    .map(([status, count]) => el("button", count ? tone(status) : "quiet", [el("b", "", String(count)), word(status).toLowerCase()],
      { type: "button", "data-status": status, "aria-pressed": String(view.status === status) }));
  $("counts").replaceChildren(...buttons);
  if (focused) $("counts").querySelector(`[data-status="${CSS.escape(focused)}"]`)?.focus();
  for (const kind of ["target", "source"]) $(`kind-${kind}`).setAttribute("aria-pressed", String(view.kind === kind));
}

function drawEmpty(all) {
  if (!reading?.readAt) {
    $("empty").replaceChildren(reading?.error ? "Not read yet: see above." : "Reading …");
  } else if (!all) {
    $("empty").replaceChildren(EMPTY[view.kind]);
  } else {
    const clear = el("button", "", "Show all", { type: "button" });
    clear.addEventListener("click", () => change({ filter: "", status: "" }));
    $("empty").replaceChildren(`None of the ${all} ${PLURAL[view.kind]} match.`, clear);
  }
}

// --- User input -----------------------------------------------------------------------------------------------

function change(wanted) {
  Object.assign(view, wanted);
  if ($("filter").value !== view.filter) $("filter").value = view.filter;
  $("sort").value = view.sort;
  const query = new URLSearchParams();
  if (view.kind !== "target") query.set("kind", view.kind);
  if (view.filter) query.set("q", view.filter);
  if (view.status) query.set("status", view.status);
  if (view.sort !== "trouble") query.set("sort", view.sort);
  history.replaceState(null, "", `${location.pathname}${query.size ? `?${query}` : ""}${location.hash}`);
  draw();
}

$("filter").addEventListener("input", (event) => change({ filter: event.target.value }));
$("sort").addEventListener("change", (event) => change({ sort: event.target.value }));
$("controls").addEventListener("submit", (event) => event.preventDefault());
$("kind-target").addEventListener("click", () => change({ kind: "target", status: "" }));
$("kind-source").addEventListener("click", () => change({ kind: "source", status: "" }));
$("counts").addEventListener("click", (event) => {
  const status = event.target.closest("button")?.dataset.status;
  if (status) change({ status: view.status === status ? "" : status });
});

let lastOpened = "";
async function follow() {
  const before = lastOpened;
  lastOpened = location.hash;
  $("fleet").hidden = /^#(target|source)\//.test(location.hash);
  if (!(await open(location.hash)) && before) {
    document.querySelector(`#rows a[href="${CSS.escape(before)}"]`)?.focus();
  }
}
addEventListener("hashchange", follow);

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
  if (event.key === "Escape") {
    if (typing && view.filter) change({ filter: "" });
    else if (typing) event.target.blur();
    else if (location.hash.length > 1) location.hash = "";
  } else if (typing && event.key !== "ArrowDown") {
    return;
  } else if (event.key === "/") {
    event.preventDefault();
    if (location.hash.length > 1) location.hash = "";
    $("fleet").hidden = false;
    $("filter").focus();
  } else if (["j", "ArrowDown", "k", "ArrowUp"].includes(event.key) && event.target.tagName !== "SELECT" && !$("fleet").hidden) {
    event.preventDefault();
    step(["j", "ArrowDown"].includes(event.key) ? 1 : -1);
  }
});

setInterval(() => {
  // A connection that broke while the computer slept may look open for hours.
  if (stream.readyState === EventSource.OPEN && Date.now() - heard > SILENCE_MILLISECONDS) {
    stream.close();
    connected = false;
    listen();
  }
  if (document.hidden) return;
  restamp();
  drawState();
}, 5000);

change({});
follow();
listen();
