"use strict";
// Mood and usage on one time axis, with the moments marked. Colours are read from the page, so that both themes hold.
(async function () {
  const source = document.querySelector("[data-charts]");
  if (!source || !window.Plotly) return;
  const answer = await fetch(source.dataset.charts, { credentials: "same-origin" });
  if (!answer.ok || answer.redirected) {
    empty("mood", "The charts could not be read. Open the page anew.");
    return;
  }
  const story = await answer.json();
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(name).trim();
  const hues = [1, 2, 3, 4, 5].map((n) => colour(`--person-${n}`));
  const symbols = ["circle", "square", "diamond", "triangle-up", "x"];
  const day = 86400000;
  const NARROW = 500;
  const now = Date.parse(story.now);
  const touch = window.matchMedia("(pointer: coarse)").matches;
  const options = { displayModeBar: false, responsive: true };

  // The chart library reads its texts as markup, links included; names come from outside.
  const plain = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
  const iso = (time) => new Date(time).toISOString();
  const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
  const short = (at) => `${new Date(at).getUTCDate()} ${months[new Date(at).getUTCMonth()]}`;
  const faint = (hex, share) => `rgba(${[1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16)).join(",")},${share})`;

  function empty(id, sentence) {
    const place = document.getElementById(id);
    place.classList.remove("chart");
    place.classList.add("soft");
    place.textContent = sentence;
  }

  // A year; more only where nothing at all is within it.
  function range() {
    const times = story.mood.at.map(Date.parse).concat(story.usage.flatMap((f) => f.day.slice(0, 1).map((d) => Date.parse(f.first) + d * day)));
    const first = Math.min(...times);
    const start = Math.max(...times) < now - 365 * day ? first : Math.max(first, now - 365 * day);
    return [start - day, now + Math.max((now - start) * 0.02, day)];
  }

  function layout(shown, height, width) {
    const tickformat = shown[1] - shown[0] > 300 * day ? "%b\n%Y" : "%-d %b\n%Y";
    return {
      margin: { l: 52, r: 10, t: 24, b: 40 }, height, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", dragmode: touch ? false : "zoom",
      font: { color: colour("--ink"), family: style.fontFamily || "sans-serif", size: 13 }, showlegend: false,
      xaxis: { type: "date", range: shown.map(iso), gridcolor: colour("--line"), linecolor: colour("--line"), fixedrange: touch, hoverformat: "%a %-d %b %Y", tickformat, tickangle: 0, nticks: Math.min(12, Math.max(3, Math.floor(width / 80))) },
      yaxis: { gridcolor: colour("--line"), zerolinecolor: colour("--line"), fixedrange: true, nticks: 5, separatethousands: true },
      hovermode: "x unified", hoverlabel: { bgcolor: colour("--card"), bordercolor: colour("--line") }, shapes: [], annotations: [],
    };
  }

  const line = (at, hue, dash, width) => ({
    type: "line", x0: iso(at), x1: iso(at), yref: "paper", y0: 0, y1: 1, line: { color: hue, width, dash },
  });

  // Labels above the plot, each in the lowest row in which it touches no other.
  function labelled(shape, labels, width) {
    const [start, end] = shape.xaxis.range.map(Date.parse);
    const inner = width - shape.margin.l - shape.margin.r;
    const rows = [];
    labels.filter((l) => l.at >= start && l.at <= end).sort((a, b) => a.at - b.at).forEach((label) => {
      const x = ((label.at - start) / (end - start)) * inner;
      const long = label.text.length * 6.6 + 8;
      const before = label.before ? x >= long : x + long > inner;
      const from = before ? x - long : x;
      let row = rows.findIndex((right) => right <= from);
      if (row < 0) row = rows.push(0) - 1;
      rows[row] = from + long;
      shape.annotations.push({
        x: iso(label.at), xanchor: label.centre ? "center" : before ? "right" : "left", yref: "paper", y: 1, yanchor: "bottom", yshift: 15 * row,
        text: label.text, showarrow: false, captureevents: true, font: { size: 12, color: label.hue }, hovertext: label.hover,
      });
    });
    shape.margin.t = 10 + 15 * Math.max(1, rows.length);
    shape.height += 15 * Math.max(0, rows.length - 1);
  }

  function moodTraces() {
    // Whoever is no contact of theirs comes last, as points: a line would join people who have nothing to do with each other.
    const people = [...new Set(story.mood.who)].sort((a, b) => (a === null) - (b === null));
    return people.map((who, i) => {
      const at = story.mood.who.map((w, n) => (w === who ? n : -1)).filter((n) => n >= 0);
      const drawn = { x: at.map((n) => story.mood.at[n]), y: at.map((n) => story.mood.sentiment[n]) };
      if (who === null) return { ...drawn, name: "not among the contacts", mode: "markers", marker: { size: 6, color: colour("--soft"), symbol: "circle-open" } };
      const hue = hues[i % hues.length];
      const symbol = symbols[(i + Math.floor(i / hues.length)) % symbols.length];
      return { ...drawn, name: plain(who), mode: "lines+markers", line: { color: hue, width: 1.2 }, marker: { size: 7, color: hue, symbol } };
    });
  }

  const dots = () => story.moments.map((m) => ({ ...line(Date.parse(m.day), faint(colour("--at-risk"), 0.7), "dot", 1), layer: "below" }));
  const moments = () => story.moments.map((m) => ({ at: Date.parse(m.day), text: String(m.number), hue: colour("--at-risk"), hover: m.kind, centre: true }));

  function drawMood(shown) {
    const place = document.getElementById("mood");
    const shape = layout(shown, 260, place.clientWidth);
    shape.yaxis = { ...shape.yaxis, range: [-1.05, 1.05], tickvals: [-1, 0, 1], ticktext: ["cold", "neutral", "warm"] };
    shape.showlegend = true;
    const traces = moodTraces();
    shape.shapes = dots();
    labelled(shape, moments(), place.clientWidth);
    // Under both lines of the days, in as many rows as the names take.
    const longest = Math.max(...traces.map((t) => t.name.length)) * 7.2 + 50;
    const rows = traces.length < 2 ? 1 : Math.ceil(traces.length / Math.max(1, Math.floor((place.clientWidth - 62) / longest)));
    shape.margin.b = 46 + 21 * rows;
    shape.height += 21 * (rows - 1);
    shape.legend = { orientation: "h", y: -44 / (shape.height - shape.margin.t - shape.margin.b), yanchor: "top" };
    place.style.height = `${shape.height}px`;
    Plotly.newPlot(place, traces, shape, options);
    linked(place);
  }

  // A moment's number leads to what it rests on.
  function linked(place) {
    if (place.dataset.linked) return;
    place.dataset.linked = "yes";
    place.on("plotly_clickannotation", (event) => {
      const moment = story.moments.find((m) => String(m.number) === event.annotation.text);
      if (moment) location.hash = moment.id;
    });
  }

  // One closed polygon for each run of days, half a day wider at either end; nothing across a gap.
  function polygons(at, low, high, steps) {
    const x = [];
    const y = [];
    const half = day / 2;
    let run = [];
    const close = () => {
      if (!run.length) return;
      const top = run.flatMap((i, k) => outline(i, high, k === 0, k === run.length - 1));
      const bottom = run.flatMap((i, k) => outline(i, low, k === 0, k === run.length - 1)).reverse();
      [...top, ...bottom].forEach((p) => { x.push(iso(p[0])); y.push(p[1]); });
      x.push(null);
      y.push(null);
      run = [];
    };
    const outline = (i, values, first, last) => {
      const ends = [[at[i] - half, values[i]], [at[i] + half, values[i]]];
      if (steps) return ends;
      return [...(first ? [ends[0]] : []), [at[i], values[i]], ...(last ? [ends[1]] : [])];
    };
    at.forEach((time, i) => {
      if (low[i] === null || (run.length && time - at[i - 1] > 4 * day)) close();
      if (low[i] !== null) run.push(i);
    });
    close();
    return { x, y };
  }

  const amount = (v) => (v >= 100 ? Math.round(v).toLocaleString("en") : v >= 10 ? String(Math.round(v)) : String(Math.round(v * 10) / 10));

  function told(part, quiet, i, mean) {
    if (part.used[i] === null) return "";
    const used = mean ? `about ${amount(part.used[i])} a day` : amount(part.used[i]);
    const expected = part.low[i] === null ? (quiet.has(i) ? "a holiday, or the peers stood still: not judged" : "nothing expected yet") : `expected ${amount(part.low[i])} to ${amount(part.high[i])}`;
    const peers = part.peers[i] === null ? "" : `<br>moved as its peers: ${amount(part.peers[i])}`;
    return `${used}<br>${expected}${peers}`;
  }

  function usageTraces(figure, mean) {
    const part = mean ? figure.mean : figure.each;
    const at = figure.day.map((d) => Date.parse(figure.first) + d * day);
    const x = at.map(iso);
    const quiet = new Set(part.quiet);
    const beside = (i) => quiet.has(i) || quiet.has(i - 1) || quiet.has(i + 1);
    const band = polygons(at, part.low, part.high, !mean);
    const accent = colour("--accent");
    const common = { type: "scatter", mode: "lines", connectgaps: false, hoverinfo: "skip" };
    return [
      { ...common, ...band, fill: "toself", fillcolor: faint(accent, 0.16), line: { width: 0 } },
      { ...common, x, y: part.peers, line: { color: colour("--soft"), width: mean ? 1.5 : 1, dash: mean ? "dash" : "dot" } },
      { ...common, x, y: part.used.map((v, i) => (beside(i) ? v : null)), line: { color: accent, width: 1.2 }, opacity: 0.45 },
      { ...common, x, y: part.used.map((v, i) => (quiet.has(i) ? null : v)), line: { color: accent, width: mean ? 2 : 1.4 } },
      { ...common, x, y: part.used, line: { width: 0 }, hoverinfo: "text", hovertemplate: "%{customdata}<extra></extra>", customdata: at.map((_, i) => told(part, quiet, i, mean)) },
    ];
  }

  // A line stands between the last day before and the first day since.
  function marks(shape, figure, width) {
    const labels = moments();
    const narrow = width < NARROW;
    figure.marks.forEach((mark) => {
      const hue = colour(mark.rise ? "--likely" : "--at-risk");
      const [began, said, over] = [mark.began, mark.told, mark.over].map((d) => d && Date.parse(d) - day / 2);
      shape.shapes.push({ type: "rect", x0: iso(began), x1: iso(said), yref: "paper", y0: 0, y1: 1, line: { width: 0 }, fillcolor: faint(hue, 0.08), layer: "below" });
      shape.shapes.push(line(began, hue, "solid", 1.5), line(said, hue, "dot", 1.5));
      labels.push({ at: began, text: narrow ? short(mark.began) : `began ${short(mark.began)}`, hue, before: true });
      if (!narrow) labels.push({ at: said, text: `told ${short(mark.told)}`, hue });
      if (over) {
        shape.shapes.push(line(over, colour("--likely"), "dot", 1.5));
        if (!narrow) labels.push({ at: over, text: `back ${short(mark.over)}`, hue: colour("--likely") });
      }
    });
    labelled(shape, labels, width);
  }

  function drawUsage(place, shown, mean) {
    const figure = story.usage[Number(place.dataset.figure)];
    if (!figure) return;
    const shape = layout(shown, 195, place.clientWidth);
    shape.yaxis.rangemode = "tozero";
    shape.shapes = dots();
    marks(shape, figure, place.clientWidth);
    place.style.height = `${shape.height}px`;
    Plotly.react(place, usageTraces(figure, mean), shape, options);
    linked(place);
  }

  // The last quarter, or since some weeks before the newest change where that is longer ago; on a narrow page the two months around it.
  function quarter(narrow) {
    const began = story.usage.flatMap((f) => f.marks.slice(-1).map((m) => Date.parse(m.began) - (narrow ? 14 : 28) * day));
    const start = Math.max(now - 365 * day, Math.min(now - (narrow ? 56 : 91) * day, ...began));
    return [start, narrow ? start + 57 * day : now + day];
  }

  function usage() {
    const views = { mean: range, each: quarter };
    const buttons = document.querySelectorAll("[data-view]");
    const draw = () => {
      const chosen = [...buttons].find((b) => b.getAttribute("aria-pressed") === "true").dataset.view;
      document.querySelectorAll("[data-figure]").forEach((place) => {
        if (place.offsetParent) drawUsage(place, views[chosen](place.clientWidth < NARROW), chosen === "mean");
      });
    };
    buttons.forEach((button) => button.addEventListener("click", () => {
      buttons.forEach((b) => b.setAttribute("aria-pressed", String(b === button)));
      draw();
    }));
    document.querySelectorAll("#usage details").forEach((d) => d.addEventListener("toggle", draw));
    draw();
  }

  if (story.mood.at.length) drawMood(range());
  else empty("mood", "No message of theirs has been read yet.");
  if (story.usage.length) usage();
})();
