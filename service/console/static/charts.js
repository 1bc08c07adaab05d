"use strict";
// Mood and usage on one time axis, with the moments marked. Colours are read from the page, so that both themes hold.
(function () {
  const source = document.getElementById("story");
  if (!source || !window.Plotly) return;
  const story = JSON.parse(source.textContent);
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(name).trim();
  const hues = [colour("--accent"), colour("--open"), colour("--likely"), colour("--at-risk"), colour("--unknown")];
  const metrics = Object.keys(story.usage);
  const times = story.mood.at.concat(Object.values(story.usage).flatMap((s) => s.day));
  const day = 86400000;

  // The chart library reads its texts as markup, links included; names come from outside.
  const plain = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
  const iso = (time) => new Date(time).toISOString();

  function empty(id, sentence) {
    const place = document.getElementById(id);
    place.classList.remove("chart");
    place.classList.add("soft");
    place.textContent = sentence;
  }

  function range() {
    const first = times.reduce((a, b) => (a < b ? a : b));
    const span = Date.parse(story.now) - Date.parse(first);
    return [first, iso(Date.parse(story.now) + Math.max(span * 0.02, day))];
  }

  function layout(title, shown) {
    const width = Date.parse(shown[1]) - Date.parse(shown[0]);
    const row = new Map();
    const numbers = story.moments.map((m) => {
      const place = Math.round(((Date.parse(m.day) - Date.parse(shown[0])) / width) * 30);
      row.set(place, (row.get(place) || 0) + 1);
      return {
        x: m.day, yref: "paper", y: 1, yanchor: "bottom", yshift: 14 * (row.get(place) - 1), text: String(m.number), showarrow: false,
        font: { size: 12, color: colour("--at-risk") }, hovertext: m.kind,
      };
    });
    return {
      margin: { l: 64, r: 8, t: 18 + 14 * Math.max(1, ...row.values()), b: 28 }, height: 260, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      font: { color: colour("--ink"), family: style.fontFamily || "sans-serif", size: 13 }, showlegend: true, legend: { orientation: "h", y: -0.14, yanchor: "top" },
      xaxis: { range: shown, gridcolor: colour("--line"), linecolor: colour("--line") },
      yaxis: { title: { text: title }, gridcolor: colour("--line"), zerolinecolor: colour("--soft") },
      shapes: story.moments.map((m) => ({
        type: "line", x0: m.day, x1: m.day, yref: "paper", y0: 0, y1: 1, line: { color: colour("--at-risk"), width: 1, dash: "dot" },
      })),
      annotations: numbers, hovermode: "x unified", hoverlabel: { bgcolor: colour("--card") },
    };
  }

  // Days nobody reported are a gap in the line, once they are more than a long weekend.
  function withGaps(series) {
    const x = [];
    const y = [];
    series.day.forEach((at, i) => {
      const before = i ? Date.parse(series.day[i - 1]) : null;
      if (before !== null && Date.parse(at) - before > 4 * day) {
        x.push(iso(before + day).slice(0, 10));
        y.push(null);
      }
      x.push(at);
      y.push(series.value[i]);
    });
    return { x, y };
  }

  function weekly(points) {
    let seen = [];
    return points.y.map((value) => {
      seen = value === null ? [] : seen.concat(value).slice(-7);
      return value === null ? null : seen.reduce((a, b) => a + b, 0) / seen.length;
    });
  }

  function moodTraces() {
    return [...new Set(story.mood.who)].map((who, i) => {
      const at = story.mood.who.map((w, n) => (w === who ? n : -1)).filter((n) => n >= 0);
      return {
        x: at.map((n) => story.mood.at[n]), y: at.map((n) => story.mood.sentiment[n]), name: plain(who), mode: "lines+markers",
        line: { color: hues[i % hues.length], width: 1.2 }, marker: { size: 7 },
      };
    });
  }

  function usageTraces() {
    return metrics.flatMap((metric, i) => {
      const points = withGaps(story.usage[metric]);
      const shared = { x: points.x, mode: "lines", connectgaps: false, legendgroup: String(i), visible: metric === story.main ? true : "legendonly" };
      const hue = hues[i % hues.length];
      return [
        { ...shared, y: weekly(points), name: plain(metric.replace(/_/g, " ")) + ", mean of 7 days", line: { color: hue, width: 2 } },
        { ...shared, y: points.y, name: "each day", line: { color: hue, width: 1 }, opacity: 0.35, showlegend: false },
      ];
    });
  }

  const options = { displayModeBar: false, responsive: true };
  if (story.mood.at.length) {
    const shape = layout("tone", range());
    shape.yaxis = { ...shape.yaxis, range: [-1.05, 1.05], tickvals: [-1, 0, 1], ticktext: ["cold", "neutral", "warm"], title: undefined };
    Plotly.newPlot("mood", moodTraces(), shape, options);
  } else {
    empty("mood", "No message of theirs has been read yet.");
  }
  if (metrics.length) {
    const shape = layout("a day", range());
    shape.yaxis.rangemode = "tozero";
    Plotly.newPlot("usage", usageTraces(), shape, options);
  } else {
    empty("usage", "No usage feed is connected for this account.");
  }
})();
