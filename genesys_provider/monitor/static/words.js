// How values are displayed. Everything from the API is inserted as text, never as markup.

export const BARS = 40;
const TONES = {
  VERIFIED: "good", ACTIVE: "good", HEALTHY: "good",
  FAILED: "bad", TIMEOUT: "bad", ERROR: "bad", UNHEALTHY: "bad",
  GONE: "off", INACTIVE: "off", UNKNOWN: "off",
};
export const tone = (status) => TONES[status] ?? "wait";

const WORDS = { PENDING_VERIFICATION: "PENDING" };
export const word = (status) => WORDS[status] ?? status;

/** Creates an element with a class, text or children, and attributes. */
export function el(tag, className, content = [], attributes = {}) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  for (const each of [content].flat()) if (each !== null && each !== undefined) made.append(each);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

export function badge(status) {
  return el("span", `badge ${tone(status)}`, word(status), { title: status });
}

const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "long" });
const UNITS = [[60, "s"], [60, "min"], [24, "h"], [Infinity, "d"]];

/** How long ago it was: `15 s ago`. */
export function ago(iso) {
  let amount = Math.max(0, (Date.now() - Date.parse(iso)) / 1000);
  for (const [size, unit] of UNITS) {
    if (amount < size) return `${Math.floor(amount)} ${unit} ago`;
    amount /= size;
  }
  return "";
}

/** A relative time, with the exact one on hover; `restamp` keeps it up to date. */
export function stamp(iso, unknown = "—", why = "Since before this monitor's first reading") {
  if (!iso) return el("span", "quiet", unknown, { title: why });
  return el("time", "", ago(iso), { datetime: iso, title: exact.format(new Date(iso)) });
}

export function restamp() {
  for (const each of document.querySelectorAll("time[datetime]")) {
    const now = ago(each.dateTime);
    if (each.textContent !== now) each.textContent = now;
  }
}

/** An owner mark as STACK::PROJECT::NAME, as the command line shows it, or as it is. */
export function owner(urn) {
  const [stack, project, , ...name] = (urn ?? "").replace(/^urn:pulumi:/, "").split("::");
  return name.length ? [stack, project, ...name].join("::") : urn ?? "no stack";
}

/** Paints the runs of the last readings into the element that shows 40 bars. */
export function paintBars(element, runs) {
  const shown = runs.reduce((sum, [, count]) => sum + count, 0);
  let at = BARS - shown;
  const stops = at ? [`var(--line) 0 ${(at / BARS) * 100}%`] : [];
  for (const [status, count] of runs) {
    stops.push(`var(--${tone(status)}) ${(at / BARS) * 100}% ${((at += count) / BARS) * 100}%`);
  }
  const image = stops.length ? `linear-gradient(90deg, ${stops.join(", ")})` : "none";
  if (element.dataset.painted === image) return;
  element.dataset.painted = image;
  element.style.backgroundImage = image;
  const said = runs.map(([status, count]) => `${count} × ${word(status)}`).join(", ");
  element.title = `The last ${shown} readings, oldest first: ${said}`;
  element.setAttribute("aria-label", element.title);
}

export function bars(runs) {
  const made = el("span", "bars", [], { role: "img" });
  paintBars(made, runs);
  return made;
}

export function seconds(value) {
  return value === null || value === undefined ? "" : `${value.toFixed(1)} s`;
}
