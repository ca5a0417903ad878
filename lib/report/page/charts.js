// The plots, and beside each of them its text. Every plot is redrawn with the palette of page.css
// when the reader's scheme changes, and in the light one for paper.
"use strict";

const has_charts = typeof echarts !== "undefined";
const plots = [];

function palette() {
  const style = getComputedStyle(document.documentElement);
  return (name) => style.getPropertyValue(`--${name}`).trim();
}

// A picture for those who see it, `label` for those who do not. `option` makes the chart's settings
// from a palette.
function plot(height, label, option) {
  const box = element("div", {class: "chart", role: "img", "aria-label": label});
  if (height) box.style.height = height;
  plots.push({box, option, chart: null});
  return box;
}

function figure(title, value, ...content) {
  return element("figure", {}, element("figcaption", {}, element("b", {}, title),
    element("span", {}, value)), ...content);
}

// Called once the boxes have their sizes.
function draw_plots() {
  for (const one of plots) {
    one.chart = echarts.init(one.box, null, {renderer: "canvas"});
    one.chart.setOption({...common(palette()), ...one.option(palette())});
    new ResizeObserver(() => one.chart.resize()).observe(one.box);
  }
}

function redraw_plots() {
  for (const one of plots) {
    one.chart.setOption({...common(palette()), ...one.option(palette())}, {notMerge: true});
  }
}

function common(colour) {
  return {
    animation: false,
    textStyle: {fontFamily: colour("sans"), color: colour("muted")},
    backgroundColor: "transparent",
  };
}

function tooltip(colour, formatter, more) {
  return {
    confine: true, backgroundColor: colour("panel"), borderColor: colour("line"), borderWidth: 1,
    padding: [6, 10], textStyle: {color: colour("ink"), fontSize: 12}, transitionDuration: 0,
    formatter, ...more,
  };
}

// Lines of a tooltip, as elements: names in it come from outside.
function tip(title, ...lines) {
  return element("div", {class: "tip"}, element("b", {}, title),
    ...lines.map((line) => element("div", {}, line)));
}

// "950", "1.2k", "34M" on an axis.
function compact(number) {
  for (const [size, letter] of [[1e9, "G"], [1e6, "M"], [1e3, "k"]]) {
    if (Math.abs(number) >= size) return `${Number((number / size).toPrecision(3))}${letter}`;
  }
  return String(Number(number.toPrecision(3)));
}

const log10 = (count) => Math.log10(Number(count));

// Counts span many powers of ten, so colours stand for their logarithm.
function heat_scale(colour, most) {
  return {
    type: "continuous", show: false, min: 0, max: Math.max(most, 1e-9), dimension: 2,
    inRange: {color: [colour("heat-low"), colour("heat-mid"), colour("heat-high")]},
  };
}

function ramp_legend(most, ...more) {
  return element("div", {class: "legend"},
    element("span", {}, element("i", {class: "ramp"}), `1 to ${grouped(most)}, logarithmic`),
    ...more);
}

// Buckets of log2(error / bound): one column each, the far ones together at the ends.
const kZeroBucket = -60, kLowest = -16, kHighest = 10;

function bucket_columns(taps) {
  const present = taps.flatMap((tap) => tap.cases.map(([bucket]) => bucket));
  const others = present.filter((bucket) => bucket > kZeroBucket);
  const low = Math.max(Math.min(...others, -1), kLowest);
  const high = Math.min(Math.max(...others, 1), kHighest);
  const columns = present.includes(kZeroBucket) ? [kZeroBucket] : [];
  for (let bucket = low; bucket <= high; ++bucket) columns.push(bucket);
  return {columns, of: (bucket) =>
    (bucket <= kZeroBucket ? 0 : columns.indexOf(Math.min(Math.max(bucket, low), high)))};
}

function power_of_two(exponent) {
  if (exponent === 0 || exponent === 1) return String(exponent + 1);
  const digits = "⁰¹²³⁴⁵⁶⁷⁸⁹";
  return "2" + String(exponent).replace(/./g, (c) => (c === "-" ? "⁻" : digits[Number(c)]));
}

const bucket_text = (bucket) => (bucket === kZeroBucket ? "0" : power_of_two(bucket));

function bucket_range(bucket) {
  if (bucket === kZeroBucket) return "no error";
  return `error / bound from ${power_of_two(bucket)} to ${power_of_two(bucket + 1)}`
    + (bucket === kLowest ? ", or less" : bucket === kHighest ? ", or more" : "");
}

function bounds_option(taps, most) {
  const {columns, of} = bucket_columns(taps);
  const sums = new Map();
  taps.forEach((tap, row) => {
    for (const [bucket, count] of tap.cases) {
      const key = `${of(bucket)},${row}`;
      sums.set(key, (sums.get(key) || 0) + Number(count));
    }
  });
  const cells = [...sums].map(([key, count]) => [...key.split(",").map(Number), log10(count)]);
  const bound = columns.indexOf(0);
  return (colour) => ({
    grid: {left: 8, right: 8, top: 8, bottom: 34, containLabel: true},
    tooltip: tooltip(colour, ({value}) => tip(taps[value[1]].tap,
      bucket_range(columns[value[0]]), plural(Math.round(10 ** value[2]), "case"))),
    visualMap: heat_scale(colour, most),
    xAxis: {
      type: "category", data: columns.map(bucket_text), z: 5,
      name: "largest error / bound of a case", nameLocation: "middle", nameGap: 28,
      axisTick: {show: false},
      axisLine: {lineStyle: {color: colour("line")}},
      axisLabel: {hideOverlap: true,
        color: (value, index) => (index >= bound ? colour("bad") : colour("muted"))},
      // One line, before the bound; ECharts places none rightly without one at each end.
      splitLine: {show: true, interval: (index) => index === 0 || index === bound,
        lineStyle: {color: ["transparent", colour("bad"), "transparent"], width: 1.5}},
    },
    yAxis: [{
      type: "category", data: taps.map((tap) => tap.tap), inverse: true, axisTick: {show: false},
      axisLine: {show: false}, axisLabel: {color: colour("ink"), interval: 0, fontSize: 12},
    }, {
      type: "category", data: taps.map((tap) => ratio_text(tap.worst_ratio)), inverse: true,
      axisTick: {show: false}, axisLine: {show: false},
      axisLabel: {interval: 0, fontSize: 12,
        color: (value, index) => (above_bound(taps[index]) ? colour("bad") : colour("muted"))},
    }],
    series: [{type: "heatmap", data: cells, progressive: 0,
      itemStyle: {borderColor: colour("panel"), borderWidth: 1}}],
  });
}

const above_bound = (tap) => tap.worst_ratio === "inf" || tap.worst_ratio === "nan"
  || tap.worst_ratio > 1;
const cases_of = (tap) => tap.cases.reduce((sum, [, count]) => sum + BigInt(count), 0n);

function show_bounds() {
  const body = place("bounds-body");
  const taps = data.taps;
  if (taps.length === 0) {
    body.append(element("p", {class: "quiet"}, "No tap was judged."));
    return;
  }
  const failing = taps.filter(above_bound).map((tap) => tap.tap);
  const most = Math.max(...taps.flatMap((tap) => tap.cases.map(([, count]) => log10(count))), 0);
  const verdict = failing.length ? `Above the bound: ${failing.join(", ")}.`
                                 : "No tap went above it.";
  const label = "Heat map of cases by tap and by the power of two of their largest error over its "
    + `bound. ${verdict}`;
  body.classList.add("stack");
  if (has_charts) {
    body.append(figure("Cases by tap", "right: the largest error / bound of the tap",
      ramp_legend(Math.round(10 ** most)),
      plot(`${taps.length * 23 + 60}px`, label, bounds_option(taps, most))));
  }
  const numbers = table("Taps in the order of the pipeline", [
    ["Tap", (tap) => element("code", {}, tap.tap)],
    ["Stage", (tap) => or_dash(tap.stage)],
    ["Cases", (tap) => grouped(cases_of(tap)), "number"],
    ["Largest error / bound", (tap) => ratio_text(tap.worst_ratio), "number"],
  ], taps);
  body.append(element("details", has_charts ? {class: "plain"} : {class: "plain", open: ""},
    element("summary", {}, "The same as a table"), scrolling(numbers, "Taps")));
}

// [seconds, value] for each row of the progress, from nothing to the last totals.
function progress_rows() {
  const columns = data.progress;
  const rows = (columns.seconds || []).map((_, i) =>
    Object.fromEntries(Object.entries(columns).map(([name, list]) => [name, list[i]])));
  const last = rows[rows.length - 1];
  const totals = chosen.totals;
  if (!last || last.seconds < totals.seconds) rows.push({time: chosen.ended, ...totals});
  return rows;
}

const cumulative = (name) => (rows) =>
  [[0, 0], ...rows.map((row) => [row.seconds, Number(row[name])])];

// Only where a value changes, for steps: points closer than a pixel would be drawn as slopes.
const changes = (points) => (rows) => points(rows).filter(([, value], i, all) =>
  i === 0 || i === all.length - 1 || value !== all[i - 1][1]);

// value(difference, seconds) between neighbouring rows, where difference("cases") is how much a
// column grew.
const between = (value) => (rows) => rows.slice(1).flatMap((row, i) => {
  const seconds = row.seconds - rows[i].seconds;
  const difference = (name) => Number(row[name]) - Number(rows[i][name]);
  return seconds > 0 ? [[row.seconds, value(difference, seconds)]] : [];
});

function line_option(points, kind) {
  return (colour) => ({
    grid: {left: 4, right: 14, top: 14, bottom: 4, containLabel: true},
    tooltip: tooltip(colour, ([point]) => tip(`after ${duration(point.value[0])}`,
      kind.show(point.value[1])), {trigger: "axis", axisPointer: {animation: false}}),
    xAxis: {
      type: "value", min: 0, max: "dataMax", interval: time_step(points), splitLine: {show: false},
      axisLine: {lineStyle: {color: colour("line")}},
      axisLabel: {formatter: hours, hideOverlap: true, fontSize: 11, color: colour("muted")},
    },
    yAxis: {
      type: "value", min: 0, max: kind.max, splitNumber: 3, minInterval: kind.whole ? 1 : 0,
      splitLine: {lineStyle: {color: colour("line")}},
      axisLabel: {formatter: kind.axis || compact, fontSize: 11, color: colour("muted")},
    },
    series: [{
      type: "line", data: points, showSymbol: false, step: kind.step, color: colour("series"),
      lineStyle: {width: 1.75}, areaStyle: {opacity: 0.1}, emphasis: {disabled: true},
      sampling: kind.step ? undefined : "lttb",
      markLine: kind.limit === undefined ? undefined : {
        silent: true, symbol: "none", animation: false,
        data: [{yAxis: kind.limit, label: {formatter: "all", position: "insideEndBottom",
          color: colour("muted"), fontSize: 11}}],
        lineStyle: {color: colour("muted"), type: "dashed"},
      },
    }],
  });
}

// At most four steps of a length that people count in.
function time_step(points) {
  const most = points.length ? points[points.length - 1][0] : 1;
  const steps = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600];
  return steps.find((step) => most / step <= 4) || 43200 * Math.ceil(most / 43200 / 4);
}

// "40 s", "12 min", "1.5 h" on an axis.
function hours(seconds) {
  if (seconds === 0) return "0";
  if (seconds < 120) return `${compact(seconds)} s`;
  return seconds < 7200 ? `${compact(seconds / 60)} min` : `${compact(seconds / 3600)} h`;
}

function time_plots() {
  const totals = chosen.totals;
  const count = (word) => (value) => plural(Math.round(value), word);
  const possible = data.coverage.possible;
  const outside = data.share_outside_cases;
  const workers = Math.max(chosen.jobs, 1);
  const idle = (difference, seconds) =>
    Math.min(Math.max(1 - difference("busy_seconds") / (seconds * workers), 0), 1);
  const rate = totals.seconds > 0 ? short(Number(totals.cases) / totals.seconds) : "–";
  return [
    ["Cases", grouped(totals.cases), cumulative("cases"), {show: count("case")}],
    ["Cases a second", `${rate} on average`,
      between((difference, seconds) => difference("cases") / seconds),
      {show: (value) => `${short(value)} cases/s`}],
    ["Findings", grouped(data.counts.seen), changes(cumulative("findings")),
      {show: count("finding"), step: "end", whole: true}],
    ["Workers' time outside cases", outside === null ? "–" : `${per_cent(outside)} in all`,
      between(idle), {show: per_cent, axis: (value) => `${Math.round(100 * value)} %`}],
    ["Feature pairs", `${grouped(totals.pairs)} of ${grouped(possible)}`, cumulative("pairs"),
      {show: count("pair"), limit: possible}],
    ["Feature triples", grouped(totals.tuples), cumulative("tuples"), {show: count("triple")}],
    ["Behaviours", grouped(totals.behaviours), cumulative("behaviours"),
      {show: count("behaviour")}],
    ["Cases kept to go on from", grouped(totals.interesting), cumulative("interesting"),
      {show: count("case")}],
  ];
}

function show_time() {
  const body = place("time-body");
  const rows = progress_rows();
  place("time-lead").textContent = rows.length < 2
    ? "There are too few records of the progress for plots."
    : "Along the time that was searched; pauses between a campaign's runs are left out. A "
      + "behaviour is a tap together with the power of two of its error / bound.";
  body.classList.add("stack");
  if (has_charts && rows.length > 1) {
    const all = time_plots().map(([title, value, points, kind]) => figure(title, value, plot(null,
      `${title} over time: ${value} after ${duration(chosen.totals.seconds)}.`,
      line_option(points(rows), kind))));
    body.append(element("div", {class: "multiples"}, ...all));
  }
  const every = Math.max(Math.ceil(rows.length / 24), 1);
  const few = rows.filter((_, i) => i % every === 0 || i === rows.length - 1);
  const numbers = table("Progress; times are UTC", [
    ["Time", (row) => moment(row.time)],
    ["Searched", (row) => duration(row.seconds), "number"],
    ["Cases", (row) => grouped(row.cases), "number"],
    ["Findings", (row) => grouped(row.findings), "number"],
    ["Pairs", (row) => grouped(row.pairs), "number"],
    ["Triples", (row) => grouped(row.tuples), "number"],
    ["Behaviours", (row) => grouped(row.behaviours), "number"],
    ["Kept", (row) => grouped(row.interesting), "number"],
    ["Restarts", (row) => grouped(row.restarts), "number"],
    ["Largest error / bound", (row) => ratio_text(row.worst_ratio), "number"],
  ], few);
  body.append(element("details", has_charts ? {class: "plain"} : {class: "plain", open: ""},
    element("summary", {}, "The same as a table"), scrolling(numbers, "Progress")));
}

// Every level of every feature: {feature, text}, in the numbering of the pairs.
function all_levels(features) {
  return features.flatMap((feature) => feature.levels.map((level) =>
    ({feature, text: level === "" ? feature.name : `${feature.name} ${level}`})));
}

function pairs_option(coverage, levels, most) {
  const names = levels.map((level) => level.text);
  const reasons = new Map();
  const cells = [];
  const add = (a, b, value, look) => {
    cells.push({value: [a, b, value], ...look});
    if (a !== b) cells.push({value: [b, a, value], ...look});
  };
  for (const [a, b, reason] of coverage.impossible) {
    reasons.set(`${a},${b}`, reason).set(`${b},${a}`, reason);
  }
  const drawn_pairs = new Map(coverage.pairs.map(([a, b, count]) => [`${a},${b}`, count]));
  const count_of = (a, b) => drawn_pairs.get(a < b ? `${a},${b}` : `${b},${a}`);
  const text_of = (a, b) => {
    const reason = reasons.get(`${a},${b}`);
    if (reason !== undefined) return `cannot meet: ${coverage.reasons[reason]}`;
    const count = count_of(a, b);
    return count === undefined ? "possible, but never drawn" : `drawn ${plural(count, "time")}`;
  };
  const middles = new Map(coverage.features.map((feature) =>
    [feature.first + Math.floor((feature.levels.length - 1) / 2), feature.name]));
  const starts = new Set(coverage.features.map((feature) => feature.first));
  return (colour) => {
    cells.length = 0;
    const fixed = (name) => ({visualMap: false, itemStyle: {color: colour(name)}});
    for (const [a, b] of coverage.impossible) add(a, b, 0, fixed("impossible"));
    for (const [a, b, count] of coverage.pairs) add(a, b, log10(count));
    const missing = {color: colour("missing"), borderColor: colour("missing"), borderWidth: 1.5};
    for (const [a, b] of coverage.never) add(a, b, 0, {visualMap: false, itemStyle: missing});
    const axis = {
      type: "category", data: names, axisTick: {show: false}, axisLine: {show: false}, z: 5,
      splitLine: {show: true, interval: (index) => starts.has(index),
        lineStyle: {color: colour("panel"), width: 1}},
      axisLabel: {interval: (index) => middles.has(index), fontSize: 10, color: colour("muted"),
        formatter: (name, index) => middles.get(index) || ""},
    };
    return {
      grid: {left: 118, right: 10, top: 118, bottom: 4},
      tooltip: tooltip(colour, ({value: [a, b]}) => (a === b ? tip(names[a], text_of(a, b))
        : tip(`${names[a]} × ${names[b]}`, text_of(a, b)))),
      visualMap: heat_scale(colour, most),
      xAxis: {...axis, position: "top", axisLabel: {...axis.axisLabel, rotate: 90}},
      yAxis: {...axis, inverse: true},
      series: [{type: "heatmap", data: cells, progressive: 0,
        emphasis: {itemStyle: {borderColor: colour("ink"), borderWidth: 1}}}],
    };
  };
}

function show_pairs() {
  const coverage = data.coverage;
  const body = place("pairs-body");
  const lead = place("pairs-lead");
  const proper = coverage.pairs.filter(([a, b]) => a !== b);
  if (coverage.pairs.length === 0) {
    lead.textContent = "The store has no counts of feature pairs for this campaign.";
    return;
  }
  const levels = all_levels(coverage.features);
  const never = coverage.never.length;
  const sentence = `${grouped(coverage.drawn)} pairs of levels were drawn, of `
    + `${grouped(coverage.possible)} that valid scenarios can have; `
    + (never ? `${grouped(never)} of these never were.` : "none is missing.");
  lead.textContent = `${sentence} A level is a class of values that code tends to treat alike.`;
  const most = proper.reduce((sum, [, , count]) => Math.max(sum, Number(count)), 1);
  body.classList.add("stack");
  if (has_charts) {
    const key = (kind, text) => element("span", {}, element("i", {class: kind}), text);
    const picture = plot(null, `Heat map of how often two of ${levels.length} levels were drawn `
      + `together. ${sentence}`, pairs_option(coverage, levels, Math.log10(most)));
    body.append(figure("Levels drawn together", "ordered by feature; the diagonal counts levels",
      ramp_legend(most, key("missing", "possible, never drawn"), key("impossible", "cannot meet")),
      element("div", {class: "wide-chart", tabindex: "0", role: "region",
        "aria-label": "Feature pairs"}, picture)));
  }
  const pair_text = ([a, b]) => `${levels[a].text} with ${levels[b].text}`;
  const shown = coverage.never.slice(0, 200);
  if (never) {
    body.append(element("details", {class: "plain"},
      element("summary", {}, `Possible, but never drawn: ${plural(never, "pair")}`),
      element("ul", {class: "columns"}, ...shown.map((pair) => element("li", {}, pair_text(pair)))),
      shown.length < never
        ? element("p", {class: "quiet"}, `and ${grouped(never - shown.length)} more`) : null));
  }
  const rare = [...proper].sort((a, b) => Number(a[2]) - Number(b[2])).slice(0, 20);
  body.append(element("details", {class: "plain"}, element("summary", {}, "Drawn least often"),
    scrolling(table("The twenty rarest pairs", [
      ["Pair", pair_text], ["Drawn", (pair) => grouped(pair[2]), "number"],
    ], rare), "Rarest pairs")));
}

if (has_charts) {
  window.addEventListener("load", () => {
    draw_plots();
    document.documentElement.dataset.drawn = "true";
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw_plots);
  window.addEventListener("beforeprint", () => {
    document.documentElement.dataset.paper = "true";
    redraw_plots();
  });
  window.addEventListener("afterprint", () => {
    delete document.documentElement.dataset.paper;
    redraw_plots();
  });
}
