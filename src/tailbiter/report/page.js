"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const one = (id) => document.getElementById(id);
  const SVG = "http://www.w3.org/2000/svg";
  // Okabe and Ito's colours, and dashes for those who see none.
  const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#888888"];
  const DASHES = ["", "6 3", "2 3", "8 3 2 3", "12 4"];
  const PAGE = 50;

  function element(name, attributes, parent, text) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text !== undefined) made.textContent = text;
    if (parent) parent.append(made);
    return made;
  }

  function drawn(name, attributes, parent, text) {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text !== undefined) made.textContent = text;
    if (parent) parent.append(made);
    return made;
  }

  const whole = new Intl.NumberFormat("en");
  function number(value) {
    if (value === null || value === undefined) return "–";
    if (Number.isInteger(value)) return whole.format(value);
    const size = Math.abs(value);
    return size >= 1e5 || size < 1e-3 ? value.toExponential(2) : String(+value.toPrecision(4));
  }

  function look(index) {
    return { stroke: COLOURS[index % COLOURS.length], "stroke-dasharray": DASHES[index % DASHES.length],
      "stroke-width": 2, fill: "none" };
  }

  // Charts.
  const state = { chart: 0, at: data.generations.length - 1, hidden: new Set() };

  function ticks(low, high, logarithmic) {
    const found = [];
    if (logarithmic) {
      for (let e = Math.ceil(Math.log10(low) - 1e-9); e <= Math.log10(high) + 1e-9; e++) found.push(10 ** e);
      const step = Math.ceil(found.length / 6);
      return found.filter((_, i) => i % step === 0);
    }
    const rough = (high - low) / 5, base = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((m) => m * base).find((s) => s >= rough);
    for (let x = Math.ceil(low / step) * step; x <= high + step * 1e-9; x += step) found.push(+x.toPrecision(12));
    return found;
  }

  function scale(values, from, to, logarithmic) {
    const good = values.filter((v) => v !== null && Number.isFinite(v) && (!logarithmic || v > 0));
    let low = Math.min(...good), high = Math.max(...good);
    if (!good.length) [low, high] = [1, 10];
    if (!logarithmic && low > 0 && low < 0.5 * high) low = 0;
    if (low === high) [low, high] = logarithmic ? [low / 2, high * 2] : [low - 0.5, high + 0.5];
    const warp = logarithmic ? Math.log : (v) => v;
    const place = (v) => from + (warp(v) - warp(low)) / (warp(high) - warp(low)) * (to - from);
    return { place, ticks: ticks(low, high, logarithmic), low };
  }

  function path(xs, ys, x, y, logarithmic) {
    let out = "", pen = false;
    xs.forEach((g, i) => {
      const v = ys[i], good = g > 0 && v !== null && Number.isFinite(v) && (!logarithmic || v > 0);
      if (good) out += `${pen ? "L" : "M"}${x.place(g).toFixed(1)} ${y.place(v).toFixed(1)}`;
      pen = good;
    });
    return out;
  }

  function ribbon(xs, low, high, x, y, logarithmic) {
    const at = xs.map((_, i) => i).filter((i) => xs[i] > 0 && low[i] !== null && high[i] !== null &&
      (!logarithmic || high[i] > 0));
    const bottom = (v) => y.place(logarithmic ? Math.max(v, y.low) : v);
    const up = at.map((i) => `${x.place(xs[i]).toFixed(1)} ${y.place(high[i]).toFixed(1)}`);
    const down = at.reverse().map((i) => `${x.place(xs[i]).toFixed(1)} ${bottom(low[i]).toFixed(1)}`);
    return up.length ? `M${[...up, ...down].join("L")}Z` : "";
  }

  function draw() {
    const chart = data.charts[state.chart], box = one("chart");
    const width = Math.max(240, box.clientWidth), height = Math.max(240, Math.min(420, width * 0.55));
    const logarithmic = one("logarithmic").checked, xs = data.generations;
    const lines = chart.series.map((s, i) => ({ ...s, i })).filter((s) => !state.hidden.has(s.name));
    const all = lines.flatMap((s) => [...s.median, ...s.low, ...s.high]);
    const x = scale(xs.filter((g) => g > 0), 48, width - 10, true);
    const y = scale(all, height - 32, 10, logarithmic);
    const svg = drawn("svg", { viewBox: `0 0 ${width} ${height}`, width, height });
    for (const t of x.ticks) {
      drawn("line", { class: "axis", x1: x.place(t), x2: x.place(t), y1: 10, y2: height - 32 }, svg);
      drawn("text", { x: x.place(t), y: height - 18, "text-anchor": "middle" }, svg, number(t));
    }
    for (const t of y.ticks) {
      drawn("line", { class: "axis", x1: 48, x2: width - 10, y1: y.place(t), y2: y.place(t) }, svg);
      drawn("text", { x: 44, y: y.place(t) + 4, "text-anchor": "end" }, svg, number(t));
    }
    drawn("text", { x: width / 2, y: height - 3, "text-anchor": "middle" }, svg, "generation");
    for (const s of lines) {
      drawn("path", { d: ribbon(xs, s.low, s.high, x, y, logarithmic), fill: COLOURS[s.i % COLOURS.length],
        opacity: 0.15 }, svg);
    }
    for (const s of lines) {
      drawn("path", { d: path(xs, s.median, x, y, logarithmic), ...look(s.i) }, svg);
      if (s.theory) {
        drawn("path", { d: path(xs, s.theory, x, y, logarithmic), fill: "none", stroke: "currentColor",
          "stroke-width": 0.8 }, svg);
      }
    }
    const g = xs[state.at];
    if (g > 0) drawn("line", { class: "cursor", x1: x.place(g), x2: x.place(g), y1: 10, y2: height - 32 }, svg);
    const nearest = (event) => {
      const inside = (event.clientX - svg.getBoundingClientRect().left) * width / svg.clientWidth;
      let best = state.at;
      xs.forEach((v, i) => {
        if (v > 0 && !(Math.abs(x.place(v) - inside) >= Math.abs(x.place(xs[best] || 1) - inside))) best = i;
      });
      if (best !== state.at) go(best);
    };
    svg.addEventListener("pointermove", nearest);
    svg.addEventListener("pointerdown", nearest);
    box.replaceChildren(svg);
    const theory = lines.some((s) => s.theory) ? "; thin lines: the mean, by theory" : "";
    one("caption").textContent = `${chart.title} (${chart.units}): median over replicates, shade from the 5 % to ` +
      `the 95 % quantile${theory}.`;
  }

  function tell() {
    const chart = data.charts[state.chart], table = one("values"), i = state.at;
    one("shown").textContent = whole.format(data.generations[i]);
    const range = one("generation");
    range.value = i;
    range.setAttribute("aria-valuetext", `generation ${data.generations[i]}`);
    table.replaceChildren();
    const head = element("tr", {}, element("thead", {}, table));
    const theory = chart.series.some((s) => s.theory);
    for (const [j, title] of ["", "median", "5 %", "95 %", ...(theory ? ["theory"] : [])].entries()) {
      element("th", j ? { class: "number", scope: "col" } : {}, head, title);
    }
    const body = element("tbody", {}, table);
    for (const s of chart.series) {
      if (state.hidden.has(s.name)) continue;
      const row = element("tr", {}, body);
      element("th", { scope: "row" }, row, s.name);
      const cells = [s.median[i], s.low[i], s.high[i], ...(theory ? [s.theory ? s.theory[i] : null] : [])];
      for (const v of cells) element("td", { class: "number" }, row, number(v));
    }
  }

  function go(at) {
    state.at = at;
    draw();
    tell();
  }

  function choose(index) {
    state.chart = index;
    state.hidden.clear();
    one("logarithmic").checked = data.charts[index].logarithmic;
    one("lines").replaceChildren();
    data.charts[index].series.forEach((s, i) => {
      const label = element("label", {}, one("lines"));
      const box = element("input", { type: "checkbox" }, label);
      box.checked = true;
      box.addEventListener("change", () => {
        state.hidden[box.checked ? "delete" : "add"](s.name);
        go(state.at);
      });
      const key = drawn("svg", { viewBox: "0 0 32 10", "aria-hidden": "true" }, label);
      drawn("line", { x1: 0, x2: 32, y1: 5, y2: 5, ...look(i) }, key);
      label.append(` ${s.name}`);
    });
    go(state.at);
  }

  if (data.charts.length) {
    one("charts").hidden = false;
    data.charts.forEach((chart, i) => element("option", { value: i }, one("quantity"), chart.title));
    one("quantity").addEventListener("change", (event) => choose(+event.target.value));
    one("logarithmic").addEventListener("change", draw);
    one("generation").max = data.generations.length - 1;
    one("generation").addEventListener("input", (event) => go(+event.target.value));
    choose(0);
    new ResizeObserver(draw).observe(one("chart"));
  }

  // What vanished.
  const words = data.words;
  if (!words) return;
  one("words").hidden = false;
  const order = { column: 1, down: true };
  let shown = PAGE;

  function list() {
    const text = one("find").value.trim().toLowerCase(), band = one("band").value;
    const gone = one("gone").checked;
    const found = words.rows.filter((row) => row[0].toLowerCase().includes(text) && (!band || row[2] === band) &&
      (!gone || row[3] !== null));
    const sign = order.down ? -1 : 1, column = order.column;
    found.sort((a, b) => {
      if (a[column] === b[column]) return 0;
      if (a[column] === null || b[column] === null) return a[column] === null ? 1 : -1;
      return (a[column] < b[column] ? -1 : 1) * sign;
    });
    const rest = words.left_out ? `; the ${whole.format(words.left_out)} rarest are not listed here` : "";
    one("found").textContent = `${whole.format(found.length)} of ${whole.format(words.rows.length)}${rest}`;
    const body = one("list").tBodies[0];
    body.replaceChildren();
    for (const row of found.slice(0, shown)) {
      const line = element("tr", {}, body);
      row.forEach((v, j) => {
        const plain = j === 0 || j === 2 ? v : j === 3 && v === null ? "still there" : number(v);
        element("td", j === 0 || j === 2 ? {} : { class: "number" }, line, plain);
      });
    }
    one("more").hidden = found.length <= shown;
  }

  words.columns.forEach((title, j) => {
    const cell = element("th", { scope: "col", ...(j === 0 || j === 2 ? {} : { class: "number" }) },
      one("list").tHead.rows[0]);
    element("button", { type: "button" }, cell, title).addEventListener("click", () => {
      order.down = order.column === j ? !order.down : j === 1;
      order.column = j;
      list();
    });
  });
  element("option", { value: "" }, one("band"), "all");
  for (const band of new Set(words.rows.map((row) => row[2]))) element("option", { value: band }, one("band"), band);
  const afresh = () => { shown = PAGE; list(); };
  one("find").addEventListener("input", afresh);
  one("band").addEventListener("change", afresh);
  one("gone").addEventListener("change", afresh);
  one("more").addEventListener("click", () => { shown += 10 * PAGE; list(); });
  list();
})();
