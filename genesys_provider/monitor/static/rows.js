// The list: one element per object, created once, and updated when the object changes.

import { badge, bars, el, owner, paintBars, seconds, stamp, tone, word } from "./words.js";

const list = document.getElementById("rows");
const empty = document.getElementById("empty");
const made = new Map(); // key -> { item, bars, drawn }

export const keyOf = (row) => `${row.kind}/${row.id}`;
export const linkTo = (row) => `#${row.kind}/${encodeURIComponent(row.id)}`;

const TROUBLE = { bad: 0, wait: 1, off: 3, good: 2 };
const byName = (a, b) => a.name.localeCompare(b.name) || (a.id < b.id ? -1 : 1);
const ORDERS = {
  trouble: (a, b) => TROUBLE[tone(a.status)] - TROUBLE[tone(b.status)] || byName(a, b),
  name: byName,
  since: (a, b) => (b.since ?? "").localeCompare(a.since ?? "") || byName(a, b),
  verification: (a, b) => (b.verificationSeconds ?? -1) - (a.verificationSeconds ?? -1) || byName(a, b),
  owner: (a, b) => owner(a.owner).localeCompare(owner(b.owner)) || byName(a, b),
};

function factsOf(row) {
  return row.kind === "target"
    ? [row.endpointUrl, owner(row.owner), (row.eventTypes ?? []).join(", ")]
    : [row.eventSourceSuffix, `${row.awsAccountId} ${row.awsRegion}`, owner(row.owner), (row.topics ?? []).join(", ")];
}

/** The text that the filter searches, computed once for each version of a row. */
function text(row) {
  row.text ??= [row.name, row.id, row.status, row.owner, row.reason, ...factsOf(row)].join("\n").toLowerCase();
  return row.text;
}

function draw(row) {
  const band = bars(row.bars);
  const link = el("a", "", [
    badge(row.status),
    el("span", "name", row.name, { title: row.name }),
    band,
    row.health ? el("span", `health ${tone(row.health)}`, word(row.health)) : el("span", "health"),
    el("span", "since", stamp(row.since)),
    el("span", "verification quiet", seconds(row.verificationSeconds), { title: "Duration of the last verification" }),
    el("span", "facts quiet", factsOf(row).filter(Boolean).join("  ·  "), { title: row.owner ?? "" }),
    row.reason && tone(row.status) === "bad" ? el("span", "reason", row.reason) : null,
  ], { href: linkTo(row) });
  return { link, band };
}

function elementOf(row) {
  let known = made.get(keyOf(row));
  if (!known) made.set(keyOf(row), (known = { item: el("li", "row", [], { "data-id": row.id }) }));
  if (known.drawn !== row) {
    const focused = known.item.contains(document.activeElement);
    const { link, band } = draw(row);
    known.item.replaceChildren(link);
    known.band = band;
    known.drawn = row;
    if (focused) link.focus();
  } else {
    paintBars(known.band, row.bars);
  }
  return known.item;
}

export function show(rows, { kind, filter, status, sort }) {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  const ofKind = rows.filter((row) => row.kind === kind);
  const chosen = ofKind
    .filter((row) => (!status || row.status === status) && words.every((each) => text(row).includes(each)))
    .sort(ORDERS[sort] ?? ORDERS.trouble);
  const focused = document.activeElement;
  let next = list.firstChild;
  for (const row of chosen) {
    const item = elementOf(row);
    if (item === next) next = next.nextSibling;
    else list.insertBefore(item, next);
  }
  while (next) {
    const after = next.nextSibling;
    next.remove();
    next = after;
  }
  // An element that moves in the document loses the focus.
  if (focused !== document.activeElement && list.contains(focused)) focused.focus({ preventScroll: true });
  empty.hidden = chosen.length > 0;
  return { shown: chosen.length, all: ofKind.length };
}

/** Moves the focus from row to row. */
export function step(by) {
  const links = [...list.querySelectorAll("a")];
  const at = links.indexOf(document.activeElement);
  const next = links[at < 0 ? (by > 0 ? 0 : links.length - 1) : Math.min(links.length - 1, Math.max(0, at + by))];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
}
