"use strict";
const page = (() => {
  const SVG = "http://www.w3.org/2000/svg";
  // Okabe and Ito's colours, and dashes for those who see none.
  const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#888888"];
  const DASHES = ["", "6 3", "2 3", "8 3 2 3", "12 4"];

  const one = (id) => document.getElementById(id);

  function filled(made, attributes, parent, text) {
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text !== undefined) made.textContent = text;
    if (parent) parent.append(made);
    return made;
  }
  const element = (name, attributes, parent, text) =>
    filled(document.createElement(name), attributes, parent, text);
  const drawn = (name, attributes, parent, text) =>
    filled(document.createElementNS(SVG, name), attributes, parent, text);

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

  const usable = (v, logarithmic) =>
    v !== null && v !== undefined && Number.isFinite(v) && (!logarithmic || v > 0);

  function range(values, logarithmic) {
    let low = Infinity, high = -Infinity;
    for (const v of values) {
      if (!usable(v, logarithmic)) continue;
      if (v < low) low = v;
      if (v > high) high = v;
    }
    return low > high ? [1, 10] : [low, high];
  }

  const between = (places, low, high) => places.filter((x) => x >= low * (1 - 1e-9) && x <= high * (1 + 1e-9));
  const thinned = (places, most) => places.filter((_, i) => i % Math.ceil(places.length / most) === 0);

  // Of a logarithmic axis decades; where these are few 1, 2 and 5 of each, where these are too, even steps.
  function ticks(low, high, logarithmic, most, whole) {
    const fit = (places) => between(places, low, high).filter((x) => !whole || Number.isInteger(x));
    if (logarithmic) {
      const powers = [];
      for (let e = Math.floor(Math.log10(low)); e <= Math.ceil(Math.log10(high)); e++) powers.push(+`1e${e}`);
      const fine = fit(powers.flatMap((p) => [p, 2 * p, 5 * p].map((x) => +x.toPrecision(12))));
      if (fine.length > most) return thinned(fit(powers).length > 1 ? fit(powers) : fine, most);
      if (fine.length > 2) return fine;
    }
    const rough = (high - low) / 5, base = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((m) => m * base).find((s) => s >= rough), found = [];
    for (let x = Math.ceil(low / step) * step; x <= high + step * 1e-9; x += step) found.push(+x.toPrecision(12));
    return whole ? fit(found) : found;
  }

  function scale(values, from, to, logarithmic, whole = false) {
    let [low, high] = range(values, logarithmic);
    if (!logarithmic && low > 0 && low < 0.5 * high) low = 0;
    if (low === high) [low, high] = logarithmic ? [low / 2, high * 2] : [low - 0.5, high + 0.5];
    const warp = logarithmic ? Math.log : (v) => v;
    const place = (v) => from + (warp(v) - warp(low)) / (warp(high) - warp(low)) * (to - from);
    const most = whole ? Math.max(2, Math.min(9, Math.floor(Math.abs(to - from) / 52))) : 9;
    return { place, ticks: ticks(low, high, logarithmic, most, whole), low };
  }

  // So far below a plot that nothing of it is seen.
  const BELOW = 60;

  // A line, and dots where it has but one point. What falls to 0 leaves a logarithmic plot at the bottom.
  function path(xs, ys, x, y, logarithmic) {
    let out = "", pen = false;
    const good = xs.map((g, i) => g > 0 && usable(ys[i], false));
    const height = (v) => (logarithmic && v <= 0 ? y.place(y.low) + BELOW : y.place(v));
    xs.forEach((g, i) => {
      if (!good[i]) { pen = false; return; }
      const [left, top] = [x.place(g).toFixed(1), height(ys[i]).toFixed(1)];
      out += `${pen ? "L" : "M"}${left} ${top}`;
      if (!pen && !good[i + 1]) out += `m-3 0a3 3 0 1 0 6 0a3 3 0 1 0 -6 0`;
      pen = true;
    });
    return out;
  }

  function ribbon(xs, low, high, x, y, logarithmic) {
    const at = xs.map((_, i) => i).filter((i) => xs[i] > 0 && low[i] !== null && high[i] !== null &&
      (!logarithmic || high[i] > 0));
    const bottom = (v) => (logarithmic && v <= 0 ? y.place(y.low) + BELOW : y.place(v));
    const up = at.map((i) => `${x.place(xs[i]).toFixed(1)} ${y.place(high[i]).toFixed(1)}`);
    const down = at.reverse().map((i) => `${x.place(xs[i]).toFixed(1)} ${bottom(low[i]).toFixed(1)}`);
    if (up.length === 1) return `M${up[0]}L${down[0]}h1V${up[0].split(" ")[1]}Z`;
    return up.length ? `M${[...up, ...down].join("L")}Z` : "";
  }

  function frame(box, most) {
    const width = Math.max(240, box.clientWidth), height = Math.max(240, Math.min(most, width * 0.55));
    const svg = drawn("svg", { viewBox: `0 0 ${width} ${height}`, width, height });
    return { svg, width, height };
  }

  const titled = (chart) => (chart.units === "1" ? chart.title : `${chart.title} (${chart.units})`);

  // Room for the numbers beside an axis, and for half of the last one under it.
  const LEFT = 48, RIGHT = 18;

  // A group of which nothing is drawn outside the box of a plot: theory may go beyond what was simulated.
  function clipped(svg, id, [x, y, width, height]) {
    const clip = drawn("clipPath", { id }, drawn("defs", {}, svg));
    drawn("rect", { x, y, width, height }, clip);
    return drawn("g", { "clip-path": `url(#${id})` }, svg);
  }

  // Two axes with their numbers, and what is measured along the lower one.
  function axes({ svg, x, y, width, height, along }) {
    for (const t of x.ticks) {
      drawn("line", { class: "axis", x1: x.place(t), x2: x.place(t), y1: 10, y2: height - 32 }, svg);
      drawn("text", { x: x.place(t), y: height - 18, "text-anchor": "middle" }, svg, number(t));
    }
    for (const t of y.ticks) {
      drawn("line", { class: "axis", x1: LEFT, x2: width - RIGHT, y1: y.place(t), y2: y.place(t) }, svg);
      drawn("text", { x: LEFT - 4, y: y.place(t) + 4, "text-anchor": "end" }, svg, number(t));
    }
    drawn("text", { x: width / 2, y: height - 3, "text-anchor": "middle" }, svg, along);
  }

  // The place along an axis that a pointer is nearest to.
  function nearest(event, svg, width, xs, x, start) {
    const inside = (event.clientX - svg.getBoundingClientRect().left) * width / svg.clientWidth;
    let best = start;
    xs.forEach((v, i) => {
      if (v > 0 && !(Math.abs(x.place(v) - inside) >= Math.abs(x.place(xs[best] || 1) - inside))) best = i;
    });
    return best;
  }

  // Lines over generations: medians, shades between quantiles, expectations; the pointer chooses a generation.
  function lines({ box, caption, chart, xs, at, logarithmic, hidden, go }) {
    const { svg, width, height } = frame(box, 420);
    const shown = chart.series.map((s, i) => ({ ...s, i })).filter((s) => !hidden.has(s.name));
    const x = scale(xs.filter((g) => g > 0), LEFT, width - RIGHT, true, true);
    const seen = shown.flatMap((s) => [...s.median, ...s.low, ...s.high, ...(s.human || [])]);
    const y = scale(seen, height - 32, 10, logarithmic);
    axes({ svg, x, y, width, height, along: "generation" });
    const plot = clipped(svg, `${box.id}-plot`, [LEFT - 4, 6, width - RIGHT - LEFT + 8, height - 34]);
    for (const s of shown) {
      drawn("path", { d: ribbon(xs, s.low, s.high, x, y, logarithmic), fill: COLOURS[s.i % COLOURS.length],
        opacity: 0.15 }, plot);
    }
    for (const s of shown) {
      drawn("path", { d: path(xs, s.median, x, y, logarithmic), ...look(s.i) }, plot);
      if (s.theory) {
        drawn("path", { d: path(xs, s.theory, x, y, logarithmic), fill: "none", stroke: "currentColor",
          "stroke-width": 0.8 }, plot);
      }
      if (s.human) {
        drawn("path", { d: path(xs, s.human, x, y, logarithmic), ...look(s.i), class: "human",
          "stroke-width": 1.2, "stroke-dasharray": "1 4" }, plot);
      }
    }
    const g = xs[at];
    if (g > 0) drawn("line", { class: "cursor", x1: x.place(g), x2: x.place(g), y1: 10, y2: height - 32 }, svg);
    for (const kind of ["pointermove", "pointerdown"]) {
      svg.addEventListener(kind, (event) => {
        const best = nearest(event, svg, width, xs, x, at);
        if (best !== at) go(best);
      });
    }
    box.replaceChildren(svg);
    const theory = shown.some((s) => s.theory) ? "; thin lines: the mean, by theory" : "";
    const human = shown.some((s) => s.human) ? "; dotted: the mean of human data alone, drawn anew each time" : "";
    const zero = logarithmic && shown.some((s) => s.median.some((v, i) => v === 0 && xs[i] > 0));
    const gone = zero ? "; a line that leaves at the bottom has reached 0" : "";
    caption.textContent = `${titled(chart)}: median over replicates, shade from the 5 % to ` +
      `the 95 % quantile${theory}${human}${gone}.`;
  }

  // The chart's numbers at one generation.
  function values({ table, chart, at, hidden }) {
    table.replaceChildren();
    const head = element("tr", {}, element("thead", {}, table));
    const beside = ["theory", "human"].filter((law) => chart.series.some((s) => s[law]));
    const titles = beside.map((law) => (law === "human" ? "human data only" : law));
    for (const [j, title] of ["", "median", "5 %", "95 %", ...titles].entries()) {
      element(j ? "th" : "td", j ? { class: "number", scope: "col" } : {}, head, title);
    }
    const body = element("tbody", {}, table);
    for (const s of chart.series) {
      if (hidden.has(s.name)) continue;
      const row = element("tr", {}, body);
      element("th", { scope: "row" }, row, s.name);
      const cells = [s.median[at], s.low[at], s.high[at], ...beside.map((law) => (s[law] ? s[law][at] : null))];
      for (const v of cells) element("td", { class: "number" }, row, number(v));
    }
  }

  // A box to tick for each line, with its key.
  function keys({ box, chart, hidden, changed }) {
    box.replaceChildren();
    chart.series.forEach((s, i) => {
      const label = element("label", {}, box);
      const tick = element("input", { type: "checkbox" }, label);
      tick.checked = !hidden.has(s.name);
      tick.addEventListener("change", () => {
        hidden[tick.checked ? "delete" : "add"](s.name);
        changed();
      });
      const key = drawn("svg", { viewBox: "0 0 32 10", "aria-hidden": "true" }, label);
      drawn("line", { x1: 0, x2: 32, y1: 5, y2: 5, ...look(i) }, key);
      label.append(` ${s.name}`);
    });
  }

  // Draws again when the room has changed; not at once, as what is drawn may change the room.
  function redrawn(box, draw) {
    new ResizeObserver(() => requestAnimationFrame(draw)).observe(box);
  }

  // A slider, and beside it what it stands at.
  function slide({ input, output, at, text, spoken }) {
    input.value = at;
    input.setAttribute("aria-valuetext", spoken);
    output.textContent = text;
  }

  // Orders rows by a column; what is not known goes to the end.
  function sorted(rows, column, down) {
    const sign = down ? -1 : 1;
    return rows.sort((a, b) => {
      if (a[column] === b[column]) return 0;
      if (a[column] === null || b[column] === null) return a[column] === null ? 1 : -1;
      return (a[column] < b[column] ? -1 : 1) * sign;
    });
  }

  // Headings that sort when pressed, and say by which of them rows are sorted.
  function headings({ row, columns, isNumber, first, order, changed }) {
    const cells = columns.map((title, j) => {
      const cell = element("th", { scope: "col", ...(isNumber(j) ? { class: "number" } : {}) }, row);
      element("button", { type: "button" }, cell, title).addEventListener("click", () => {
        order.down = order.column === j ? !order.down : first(j);
        order.column = j;
        mark();
        changed();
      });
      return cell;
    });
    function mark() {
      for (const cell of cells) cell.removeAttribute("aria-sort");
      cells[order.column].setAttribute("aria-sort", order.down ? "descending" : "ascending");
    }
    mark();
  }

  const data = JSON.parse(one("data").textContent);
  return { data, one, element, drawn, whole, number, range, usable, frame, titled, scale, axes, clipped, nearest, path,
    lines, values, keys, redrawn, slide, sorted, headings, LEFT, RIGHT };
})();
