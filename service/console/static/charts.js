"use strict";
// Mood and usage on one time axis, with the moments marked. Colours are read from the page, so that both themes hold.
(function () {
  const source = document.getElementById("story");
  if (!source || !window.Plotly) return;
  const story = JSON.parse(source.textContent);
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(name).trim();
  const hues = [colour("--accent"), colour("--open"), colour("--likely"), colour("--at-risk"), colour("--unknown")];
  const times = story.mood.at.concat(Object.values(story.usage).flatMap((s) => s.day));
  if (!times.length) return;
  const range = [times.reduce((a, b) => (a < b ? a : b)), story.now];
  const marks = story.moments.map((m) => ({
    type: "line", x0: m.day, x1: m.day, yref: "paper", y0: 0, y1: 1, line: { color: colour("--at-risk"), width: 1, dash: "dot" },
  }));
  const labels = story.moments.map((m) => ({
    x: m.day, yref: "paper", y: 1, yanchor: "bottom", text: m.kind, showarrow: false, textangle: -20, font: { size: 11, color: colour("--at-risk") },
  }));
  function layout(title, top) {
    return {
      margin: { l: 48, r: 12, t: top, b: 32 }, height: 250, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      font: { color: colour("--ink"), family: "inherit", size: 13 }, showlegend: true, legend: { orientation: "h", y: -0.18 },
      xaxis: { range, gridcolor: colour("--line"), linecolor: colour("--line") }, yaxis: { title: { text: title }, gridcolor: colour("--line"), zerolinecolor: colour("--soft") },
      shapes: marks, hovermode: "x unified", hoverlabel: { bgcolor: colour("--card") },
    };
  }
  const options = { displayModeBar: false, responsive: true };
  const mood = document.getElementById("mood");
  if (mood) {
    const people = [...new Set(story.mood.who)];
    const traces = people.map((who, i) => {
      const at = story.mood.who.map((w, n) => (w === who ? n : -1)).filter((n) => n >= 0);
      return {
        x: at.map((n) => story.mood.at[n]), y: at.map((n) => story.mood.sentiment[n]), name: who, mode: "lines+markers",
        line: { color: hues[i % hues.length], width: 1.5 }, marker: { size: 7 },
      };
    });
    const shape = layout("tone", 64);
    shape.yaxis.range = [-1.05, 1.05];
    shape.annotations = labels;
    Plotly.newPlot(mood, traces, shape, options);
  }
  const usage = document.getElementById("usage");
  if (usage) {
    const traces = Object.entries(story.usage).map(([metric, s], i) => ({
      x: s.day, y: s.value, name: metric, mode: "lines", connectgaps: false, line: { color: hues[i % hues.length], width: 1.3 },
      visible: metric === "seats" || Object.keys(story.usage).length === 1 ? true : "legendonly",
    }));
    Plotly.newPlot(usage, traces, layout("a day", 12), options);
  }
})();
