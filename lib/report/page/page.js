// Lays the data out as elements. Text is only ever set as text: what the code under test printed,
// or a scenario's name, is never read as markup.
"use strict";

const data = JSON.parse(document.getElementById("data").textContent);
const chosen = data.campaigns.find((campaign) => campaign.id === data.chosen);

// element("a", {href: "#x"}, "text", otherElement)
function element(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value !== undefined && value !== null) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

const place = (id) => document.getElementById(id);
const or_dash = (text) => (text === "" ? "–" : text);
const plural = (n, word) => `${grouped(n)} ${word}${String(n) === "1" ? "" : "s"}`;

// Integers above 2^53 come as strings and keep every digit.
function grouped(integer) {
  return BigInt(integer).toString().replace(/\B(?=(\d{3})+$)/g, "\u202f");
}

// "0.12", "1.5e-7", "inf": three digits.
function short(number) {
  if (typeof number === "string") return number;
  if (number === 0) return "0";
  const size = Math.abs(number);
  if (size < 1e-3 || size >= 1e6) return number.toExponential(2).replace(/\.?0+e/, "e");
  return size >= 1000 ? grouped(Math.round(number)) : String(Number(number.toPrecision(3)));
}

function duration(seconds) {
  if (seconds < 60) return `${short(seconds)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

// Rounded down above a half, so that 100 % is all.
function per_cent(share) {
  const tenths = share > 0.5 ? Math.floor(1000 * share) : Math.round(1000 * share);
  return `${tenths % 10 === 0 || tenths >= 1000 ? tenths / 10 : (tenths / 10).toFixed(1)} %`;
}

// An error / bound: 1 only where it is 1.
function ratio_text(ratio) {
  const text = short(ratio);
  return text === "1" && ratio !== 1 ? String(Number(ratio.toPrecision(6))) : text;
}

// Control characters as their pictures.
const visible = (text) => text.replace(/[\x00-\x08\x0b-\x1f]/g,
  (c) => String.fromCharCode(0x2400 + c.charCodeAt(0)));

// "2026-11-22 20:15", UTC as all times of the page.
function moment(time) {
  return element("time", {datetime: time, class: "number"},
    time === "" ? "–" : time.replace("T", " ").replace(/:\d\dZ$/, ""));
}

// columns: [heading, cell of a row, "number" or nothing]
function table(caption, columns, rows, attributes) {
  const head = columns.map(([title, , kind]) => element("th", {scope: "col", class: kind}, title));
  const body = rows.map((row) => element("tr", attributes ? attributes(row) : {},
    ...columns.map(([, cell, kind]) => element("td", {class: kind}, cell(row)))));
  return element("table", {}, element("caption", {}, caption),
    element("thead", {}, element("tr", {}, ...head)), element("tbody", {}, ...body));
}

// A box that scrolls can be reached by keyboard.
function scrolling(child, label, kind) {
  return element("div", {class: `scroll ${kind || ""}`, tabindex: "0", role: "region",
    "aria-label": label}, child);
}

function copyable(text, what) {
  const button = element("button", {type: "button", "aria-label": `Copy the ${what}`}, "Copy");
  button.addEventListener("click", async () => {
    const copied = await copy(text);
    button.textContent = copied ? "Copied" : "Not copied";
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  });
  return element("div", {class: "copyable"}, element("pre", {}, text), button);
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {  // an older browser, or one that grants files no clipboard
    const field = element("textarea", {});
    field.value = text;
    document.body.append(field);
    field.select();
    const copied = document.execCommand("copy");
    field.remove();
    return copied;
  }
}

function show_header() {
  const totals = chosen.totals;
  place("eyebrow").textContent = `Campaign ${chosen.id} of ${data.store} · ${chosen.state}`;
  place("headline").textContent = data.headline.replace(/\d{5,}/g, grouped) + ".";
  const rate = totals.seconds > 0 ? Number(totals.cases) / totals.seconds : 0;
  const tiles = [
    ["Findings", grouped(data.counts.seen), data.counts.seen > 0],
    ["of them new", grouped(data.counts.new), data.counts.new > 0],
    ["Cases", Number(totals.cases) < 1e8 ? grouped(totals.cases) : compact(Number(totals.cases))],
    ["Cases a second", short(rate)],
    ["Largest error / bound", ratio_text(totals.worst_ratio)],
    ["Feature pairs drawn", per_cent(Number(totals.pairs) / data.coverage.possible)],
    ["Workers' time outside cases",
      data.share_outside_cases === null ? "–" : per_cent(data.share_outside_cases)],
  ];
  place("tiles").append(...tiles.map(([label, value, alarm]) =>
    element("li", {class: alarm ? "alarm" : undefined}, element("span", {}, label),
      element("strong", {}, value))));
  const budget = [
    chosen.budget_seconds > 0 ? duration(chosen.budget_seconds) : "",
    String(chosen.budget_cases) !== "0" ? plural(chosen.budget_cases, "case") : "",
  ].filter((part) => part !== "").join(", ");
  const facts = [
    ["Subject", element("code", {}, chosen.subject)],
    ["Contract", or_dash(chosen.contract)],
    ["World", or_dash(chosen.world)],
    ["Seed", element("code", {}, String(chosen.seed))],
    ["Guidance", chosen.guided ? "guided" : "none: cases of the series only"],
    ["Workers", `${chosen.jobs}, restarted ${plural(totals.restarts, "time")}`],
    ["Started", moment(chosen.started)],
    ["Ended", moment(chosen.ended)],
    ["Searched", `${duration(totals.seconds)} ${budget ? `of ${budget}` : "without a budget"}`],
    ["Commit", element("code", {}, or_dash(chosen.commit))],
    ["Host", or_dash(chosen.host)],
    ["Unjudged", plural(totals.unjudged, "case")],
    ["Properties", chosen.properties.length ? chosen.properties.join(", ") : "all", "wide"],
    ["Machine", or_dash(chosen.machine), "wide"],
    ["Command", element("code", {}, or_dash(chosen.command)), "wide"],
  ];
  place("facts").append(...facts.map(([name, value, kind]) =>
    element("div", {class: kind}, element("dt", {}, name), element("dd", {}, value))));
}

const kGrave = ["crash", "hang", "sanitizer", "out of memory", "exit"];
const kNovelties = {
  new: ["new", "bad"], again: ["seen again", "warn"], earlier: ["not this time", "plain"],
  later: ["first seen later", "plain"],
};
const kStates = {
  new: "as it was seen", confirmed: "confirmed", unconfirmed: "not confirmed",
  nondeterminism: "changes from run to run",
};

function campaign_link(id, time) {
  const known = data.campaigns.some((campaign) => campaign.id === id);
  return known ? element("a", {href: `#campaign-${id}`, title: `campaign ${id}`}, moment(time))
               : moment(time);
}

// What belongs to a finding, under headings; what is empty has none.
function finding_inside(finding) {
  const inside = element("div", {class: "inside"});
  const add = (title, ...content) => inside.append(element("h3", {}, title), ...content);
  const file = finding.scenario_file;
  if (finding.replay) add("Replay", copyable(finding.replay, "replay line"));
  if (finding.explanation) add("Fails for", element("p", {}, finding.explanation));
  if (finding.note) add("Note", element("p", {}, finding.note));
  if (file) {
    const before = runs_before(file);
    add((finding.shrink_evaluations > 0 ? "Scenario, shrunk" : "Scenario")
      + (before ? `, with ${before} that must run before it` : ""), copyable(file, "scenario"));
  }
  if (finding.output) {
    add("The end of what the worker printed",
      element("pre", {tabindex: "0", "aria-label": "Output"},
        visible(finding.output)));
  }
  add("Where it comes from", element("p", {}, provenance(finding)), seen_in(finding));
  return inside;
}

// How many scenarios a scenario file holds beside its own.
function runs_before(file) {
  try {
    return (JSON.parse(file).before || []).length;
  } catch {
    return 0;
  }
}

function provenance(finding) {
  const minimal = finding.locally_minimal ? "locally minimal" : "not shown to be locally minimal";
  const evaluations = plural(finding.shrink_evaluations, "evaluation");
  return [
    `Case ${grouped(finding.case_index)} of campaign ${finding.first_campaign}`,
    `first seen at commit ${or_dash(finding.first_commit)}`,
    `last at ${or_dash(finding.last_commit)}`,
    finding.shrink_evaluations > 0 ? `${evaluations} of shrinking, ${minimal}` : "not shrunk",
    finding.file ? `kept as ${finding.file}` : "not in the corpus",
  ].join("; ") + ".";
}

// "Seen in campaign 1 (3 cases), campaign 4 (1 case)."
function seen_in(finding) {
  return element("p", {}, "Seen in ", ...finding.seen.flatMap((seen, i) => [i ? ", " : "",
    element("a", {href: `#campaign-${seen.campaign}`}, `campaign ${seen.campaign}`),
    ` (${plural(seen.count, "case")})`]), ".");
}

// "equivalence/cpu/value/attend" that may be broken at its slashes.
function signature_text(signature) {
  return element("span", {}, ...signature.split("/").flatMap((part, i) =>
    (i ? ["/", element("wbr"), part] : [part])));
}

// Two rows: the facts side by side, and below them the sentence that opens to everything else.
function finding_rows(finding, columns) {
  const past = finding.novelty === "earlier" || finding.novelty === "later";
  const cells = columns.map(([title, cell, kind, label]) =>
    element("td", {role: "cell", class: kind, "data-label": label ? title : undefined},
      cell(finding)));
  const details = element("details", {},
    element("summary", {}, finding.blame || "No blame was recorded."), finding_inside(finding));
  return element("tbody", {role: "rowgroup", id: `finding-${finding.id}`,
    class: past ? "finding past" : "finding"},
    element("tr", {role: "row", class: "row"}, ...cells),
    element("tr", {role: "row", class: "detail"},
      element("td", {role: "cell", colspan: columns.length}, details)));
}

function show_findings() {
  const body = place("findings-body");
  if (data.findings.length === 0) {
    place("findings-lead").textContent =
      `Nothing failed in ${plural(chosen.totals.cases, "case")}. The sections below say how much `
      + "of what can be drawn that was.";
    return;
  }
  place("findings-lead").textContent =
    "New ones first, then by gravity. One line is one signature, whatever the number of cases and "
    + "campaigns that showed it; open a sentence for the scenario and the line that repeats it.";
  const columns = [
    ["Kind", (f) => element("span", {class: `badge ${kGrave.includes(f.kind) ? "bad" : "warn"}`},
      or_dash(f.kind))],
    ["Signature", (f) => signature_text(f.signature), "signature"],
    ["Seen", (f) => {
      const [text, look] = kNovelties[f.novelty] || [f.novelty, "plain"];
      return element("span", {class: `badge ${look}`}, text);
    }],
    ["State", (f) => kStates[f.state] || or_dash(f.state), undefined, true],
    ["Cases", (f) => grouped(f.count), "number", true],
    ["First seen", (f) => campaign_link(f.first_campaign, f.first_seen), undefined, true],
    ["Last seen", (f) => campaign_link(f.last_campaign, f.last_seen), undefined, true],
  ];
  const head = columns.map(([title, , kind]) =>
    element("th", {scope: "col", role: "columnheader", class: kind === "number" ? kind : undefined},
      title));
  body.append(element("div", {class: "scroll"},
    element("table", {class: "finding-table", role: "table"},
      element("caption", {},
        `${plural(data.findings.length, "finding")} in this store; times are UTC`),
      element("thead", {role: "rowgroup"}, element("tr", {role: "row"}, ...head)),
      ...data.findings.map((finding) => finding_rows(finding, columns)))));
}

function show_cases() {
  const shown = data.cases.length;
  if (shown === 0) {
    place("cases-lead").textContent = "No cases were kept.";
  } else {
    place("cases-lead").textContent = `${plural(shown, "case")} of the ${grouped(data.cases_kept)} `
      + "that the store keeps as a sample: those that failed, then those nearest to a bound.";
    place("cases-body").append(scrolling(table("Sampled cases", [
      ["Case", (c) => grouped(c.index), "number"],
      ["Result", (c) => c.status === "failed"
        ? element("span", {class: "badge bad"}, "failed") : c.status],
      ["Error / bound", (c) => (c.tap === "" ? "–" : ratio_text(c.ratio)), "number"],
      ["Tap", (c) => element("code", {}, or_dash(c.tap))],
      ["Property", (c) => c.property],
      ["Origin", (c) => c.origin],
      ["Time", (c) => `${short(c.seconds * 1000)} ms`, "number"],
      ["Scenario", (c) => element("details", {}, element("summary", {}, "JSON"),
        element("pre", {}, c.scenario))],
    ], data.cases), "Sampled cases", "bounded"));
  }
  if (data.interesting.length === 0) return;
  const kept = element("details", {class: "plain"},
    element("summary", {}, `What the search went on from: ${plural(data.interesting_kept, "case")} `
      + "that showed something new"),
    scrolling(table(`The latest ${data.interesting.length}`, [
      ["Case", (c) => grouped(c.index), "number"],
      ["What was new", (c) => c.reason],
      ["Property", (c) => c.property],
    ], [...data.interesting].reverse()), "Kept cases", "bounded"));
  place("cases-body").append(kept);
  place("cases-body").classList.add("stack");
}

function show_events() {
  const body = place("events-body");
  if (data.events.length === 0) {
    body.append(element("p", {class: "lead"}, "Nothing happened that would need attention."));
    return;
  }
  body.append(element("ol", {class: "events"}, ...data.events.map((event) =>
    element("li", {}, moment(event.time), element("span", {}, event.text)))));
}

function show_campaigns() {
  if (data.campaigns.length > 1) {
    place("campaigns-lead").replaceChildren("This page shows campaign ", String(chosen.id),
      "; the others: ", element("code", {}, `helixcheck report ${data.store} --campaign N`));
  }
  const firsts = (id) => data.findings.filter((finding) => finding.first_campaign === id);
  const link = (finding) => element("div", {}, element("a", {href: `#finding-${finding.id}`},
    signature_text(finding.signature)));
  place("campaigns-body").append(scrolling(table("Campaigns; times are UTC", [
    ["No.", (c) => String(c.id), "number"],
    ["Started", (c) => moment(c.started)],
    ["State", (c) => c.state],
    ["Searched", (c) => duration(c.totals.seconds), "number"],
    ["Cases", (c) => grouped(c.totals.cases), "number"],
    ["Findings", (c) => grouped(c.totals.findings), "number"],
    ["First seen in it", (c) => element("div", {class: "links"}, ...firsts(c.id).map(link))],
    ["Commit", (c) => element("code", {}, or_dash(c.commit))],
    ["Subject", (c) => element("code", {}, c.subject)],
    ["Seed", (c) => element("code", {}, String(c.seed)), "number"],
  ], [...data.campaigns].reverse(), (campaign) => ({
    id: `campaign-${campaign.id}`,
    "aria-current": campaign.id === chosen.id ? "true" : undefined,
  })), "Campaigns"));
}

// A link to a finding opens it.
function open_target() {
  for (const old of document.querySelectorAll("tbody.target")) old.classList.remove("target");
  const target = place(location.hash.slice(1));
  if (!target || !target.classList.contains("finding")) return;
  target.classList.add("target");
  target.querySelector("details").open = true;
}

// Paper has no clicks: everything of a finding is printed.
function open_for_print() {
  const closed = [...document.querySelectorAll(".finding details:not([open])")];
  for (const details of closed) details.open = true;
  window.addEventListener("afterprint", () => {
    for (const details of closed) details.open = false;
  }, {once: true});
}

function show_footer() {
  const made = data.made_by;
  place("made-by").textContent =
    `Made by ${made.name} ${made.version}${made.commit ? ` (${made.commit})` : ""}, ${data.made}. `
    + (has_charts ? "The plots are drawn by Apache ECharts 5.6.0, Apache License 2.0." : "");
  place("licences").hidden = !has_charts;
}

show_header();
show_findings();
show_bounds();
show_time();
show_pairs();
show_cases();
show_events();
show_campaigns();
show_footer();
place("no-charts").hidden = has_charts;
window.addEventListener("hashchange", open_target);
window.addEventListener("beforeprint", open_for_print);
open_target();
document.documentElement.dataset.ready = "true";
