(() => {
  const { data, one, element, drawn, whole, number } = page;
  const PAGE = 50, BOTTOM = 42;
  // Stops of viridis, whose lightness rises evenly.
  const STOPS = [[68, 1, 84], [70, 50, 127], [54, 92, 141], [39, 127, 142], [31, 161, 135], [74, 194, 109],
    [159, 218, 58], [253, 231, 37]];
  const quantities = data.quantities, generations = data.generations;
  const cellCount = data.ids.length;

  // What a number depends on: fields of a grid (or the cell's number), generation, line.
  const fields = data.product
    ? data.fields.map((f) => ({ name: f.name, labels: f.labels }))
    : [{ name: "cell", labels: data.ids.map((_, i) => String(i)) }];
  const time = { name: "generation", labels: generations.map((g) => whole.format(g)) };
  const line = { name: "", labels: [] };
  const dims = [...fields, time];
  const at = new Map([...dims.map((d) => [d, Math.floor(d.labels.length / 2)]), [line, 0]]);
  at.set(time, generations.length - 1);
  const state = { quantity: 0, across: null, up: null, hidden: new Set() };

  const cell = () => fields.reduce((sum, d) => sum * d.labels.length + at.get(d), 0);
  const current = () => quantities[state.quantity];
  const place = (c, t, l) => (c * generations.length + t) * current().lines.length + l;
  const there = () => data.ids[cell()] !== "", failed = new Set(data.failed);
  // What stands where there is no number.
  const lacking = (c) => (failed.has(c) ? "failed" : "not there");
  const here = () => current().median[place(cell(), at.get(time), at.get(line))];

  function colour(share) {
    const x = Math.min(1, Math.max(0, share)) * (STOPS.length - 1), i = Math.min(STOPS.length - 2, Math.floor(x));
    return STOPS[i].map((v, j) => Math.round(v + (x - i) * (STOPS[i + 1][j] - v)));
  }
  const css = (rgb) => `rgb(${rgb.join(",")})`;
  const isLight = (rgb) => 0.3 * rgb[0] + 0.59 * rgb[1] + 0.11 * rgb[2] > 140;

  // Colours are the same at every generation, so that they can be compared.
  function tinted() {
    const q = current(), logarithmic = one("logarithmic").checked, n = q.lines.length;
    const mine = q.median.filter((_, i) => i % n === at.get(line));
    const [low, high] = q.share && !logarithmic ? [0, 1] : page.range(mine, logarithmic);
    const warp = logarithmic ? Math.log : (v) => v;
    return {
      low, high, logarithmic,
      of: (v) => (page.usable(v, logarithmic) && high > low
        ? colour((warp(v) - warp(low)) / (warp(high) - warp(low))) : page.usable(v, logarithmic) ? colour(0.5) : null),
      at: (s) => (logarithmic ? low * (high / low) ** s : low + s * (high - low)),
    };
  }

  const few = (labels, room, size) => Math.max(1, Math.ceil(labels.length * size / room));
  const told = (v) => (typeof v === "number" ? number(v) : v);
  function short(v, most) {
    const text = told(v);
    return text.length > most ? `${text.slice(0, Math.floor(most) - 1)}…` : text;
  }

  function write(svg, x, y, anchor, text, more = {}) {
    drawn("text", { x, y, "text-anchor": anchor, ...more }, svg, text);
  }

  function fill(shape, tint, v) {
    const rgb = tint.of(v);
    shape.setAttribute("fill", rgb ? css(rgb) : "none");
    return rgb;
  }

  function crossOut(svg, x, y, r) {
    const d = `M${x - r} ${y - r}l${2 * r} ${2 * r}M${x - r} ${y + r}l${2 * r} ${-2 * r}`;
    drawn("path", { class: "failed", d }, svg);
  }

  // A grid of two dims through the picked cell.
  function plane(svg, width, height, margin, tint) {
    const x = state.across, y = state.up, nx = x.labels.length, ny = y.labels.length;
    const w = (width - margin - 8) / nx, h = (height - BOTTOM - 8) / ny;
    const look = (what, i, j) => {
      const kept = [at.get(x), at.get(y)];
      at.set(x, i); at.set(y, j);
      const v = what();
      at.set(x, kept[0]); at.set(y, kept[1]);
      return v;
    };
    const read = (i, j) => look(here, i, j), cellOf = (i, j) => look(cell, i, j);
    const left = (i) => margin + i * w, top = (j) => height - BOTTOM - (j + 1) * h;
    const seen = [];
    for (let i = 0; i < nx; i++) {
      seen.push([]);
      for (let j = 0; j < ny; j++) {
        const v = read(i, j);
        seen[i].push(v);
        const box = drawn("rect", { class: "tile", x: left(i), y: top(j), width: w, height: h }, svg);
        const rgb = fill(box, tint, v);
        box.addEventListener("click", () => { at.set(x, i); at.set(y, j); show(); });
        const c = cellOf(i, j), is = data.ids[c] !== "";
        drawn("title", {}, box,
          `${x.name} ${told(x.labels[i])}, ${y.name} ${told(y.labels[j])}: ${is ? number(v) : lacking(c)}`);
        if (failed.has(c)) crossOut(svg, left(i) + w / 2, top(j) + h / 2, Math.min(w, h, 24) / 3);
        else if (!is) drawn("path", { class: "axis", d: `M${left(i)} ${top(j)}l${w} ${h}` }, svg);
        else if (w >= 48 && h >= 16) {
          write(svg, left(i) + w / 2, top(j) + h / 2 + 4, "middle", v === null ? "–" : number(+v.toPrecision(3)),
            { class: "told", style: rgb ? `fill: ${isLight(rgb) ? "#000" : "#fff"}` : "" });
        }
      }
    }
    const crossed = border(svg, seen, left, top, w, h);
    const skip = few(x.labels, width - margin, 56), rows = few(y.labels, height - BOTTOM, 16);
    x.labels.forEach((text, i) => {
      if (i % skip === 0) write(svg, left(i) + w / 2, height - BOTTOM + 15, "middle", short(text, 9 * skip));
    });
    y.labels.forEach((text, j) => {
      if (j % rows === 0) write(svg, margin - 5, top(j) + h / 2 + 4, "end", short(text, margin / 9));
    });
    for (const name of ["pick under", "pick"]) {
      drawn("rect", { class: name, x: left(at.get(x)), y: top(at.get(y)), width: w, height: h }, svg);
    }
    return crossed;
  }

  // The line between tiles on either side of the boundary.
  function border(svg, seen, left, top, w, h) {
    const limit = one("boundary").valueAsNumber;
    if (Number.isNaN(limit)) return false;
    const side = (i, j) => (seen[i] && seen[i][j] !== undefined && seen[i][j] !== null ? seen[i][j] >= limit : null);
    let d = "";
    seen.forEach((column, i) => column.forEach((_, j) => {
      const mine = side(i, j), right = side(i + 1, j), above = side(i, j + 1);
      if (mine !== null && right !== null && mine !== right) d += `M${left(i + 1)} ${top(j)}v${h}`;
      if (mine !== null && above !== null && mine !== above) d += `M${left(i)} ${top(j)}h${w}`;
    }));
    drawn("path", { class: "under", d }, svg);
    drawn("path", { class: "border", d }, svg);
    return d !== "";
  }

  // Cells that form no grid: a dot where two fields have the cell's values.
  function dots(svg, width, height, margin, tint) {
    const axis = (f, from, to) => {
      const numeric = f.labels.every((label) => typeof label === "number");
      if (!numeric) {
        const known = [...new Set(f.labels)], step = (to - from) / known.length;
        const put = (v) => from + (known.indexOf(v) + 0.5) * step;
        return { put, ticks: known.filter((_, i) => i % few(known, Math.abs(to - from), 60) === 0) };
      }
      const values = f.labels, [low, high] = page.range(values, false), logarithmic = low > 0 && high > 20 * low;
      const warp = logarithmic ? Math.log : (v) => v, size = warp(high) - warp(low) || 1, pad = (to - from) * 0.05;
      const put = (v) => from + pad + (warp(v) - warp(low)) / size * (to - from - 2 * pad);
      return { put, ticks: high > low ? [low, logarithmic ? Math.sqrt(low * high) : (low + high) / 2, high] : [low] };
    };
    const x = axis(state.across, margin, width - 8), y = axis(state.up, height - BOTTOM, 8);
    const rough = (v) => (typeof v === "number" ? number(+v.toPrecision(3)) : short(v, margin / 9));
    for (const v of x.ticks) write(svg, x.put(v), height - BOTTOM + 15, "middle", rough(v));
    for (const v of y.ticks) write(svg, margin - 5, y.put(v) + 4, "end", rough(v));
    for (let c = 0; c < cellCount; c++) {
      const where = { cx: x.put(state.across.labels[c]), cy: y.put(state.up.labels[c]) };
      const v = current().median[place(c, at.get(time), at.get(line))];
      const dot = drawn("circle", { class: "tile", r: 6, ...where }, svg);
      fill(dot, tint, v);
      dot.addEventListener("click", () => { at.set(fields[0], c); show(); });
      drawn("title", {}, dot, `cell ${c}: ${data.ids[c] ? number(v) : lacking(c)}`);
      if (failed.has(c)) crossOut(svg, where.cx, where.cy, 5);
      if (c === cell()) drawn("circle", { class: "pick", r: 8, ...where }, svg);
    }
    return false;
  }

  function picture() {
    const box = one("plane"), q = current(), tint = tinted();
    const { svg, width, height } = page.frame(box, 480), left = width < 500 ? 76 : 104;
    const crossed = (data.product ? plane : dots)(svg, width, height, left, tint);
    write(svg, left + (width - left) / 2, height - 6, "middle", state.across.name);
    write(svg, 12, height / 2, "middle", state.up.name, { transform: `rotate(-90 12 ${(height - BOTTOM) / 2})`,
      y: (height - BOTTOM) / 2 + 4 });
    svg.classList.toggle("fine", svg.querySelectorAll(".tile").length > 1500);
    box.replaceChildren(svg);
    const rest = [...dims, line].filter((d) => d !== state.across && d !== state.up && d.labels.length > 1);
    const set = (data.product ? rest : rest.filter((d) => !fields.includes(d)))
      .map((d) => `${d.name}${d === line ? "" : " ="} ${stands(d)}`).join(", ");
    const limit = one("boundary").valueAsNumber;
    one("plane-caption").textContent = `${page.titled(q)}: medians over replicates${set ? `; ${set}` : ""}.` +
      (crossed ? ` The thick line is where it crosses ${number(limit)}.` : "") +
      (failed.size ? " A cross: the cell failed." : "");
    legend(tint);
  }

  function legend(tint) {
    const stops = Array.from({ length: 9 }, (_, i) => css(colour(i / 8))).join(",");
    const box = one("colours");
    box.replaceChildren();
    element("span", {}, box, number(+tint.at(0).toPrecision(3)));
    element("span", { class: "ramp", style: `background: linear-gradient(to right, ${stops})` }, box);
    element("span", {}, box, number(+tint.at(1).toPrecision(3)));
  }

  // The quantity of the picked cell, in the form that charts take.
  function chart() {
    const q = current(), c = cell();
    const series = q.lines.map((name, l) => {
      const of = (all) => generations.map((_, t) => all[place(c, t, l)]);
      return { name, median: of(q.median), low: of(q.low), high: of(q.high), theory: null,
        human: q.human && of(q.human) };
    });
    return { title: q.title, units: q.units, series };
  }

  const stands = (d) => told(d.labels[at.get(d)]);
  const of = () => (line.labels.length > 1 ? `, ${line.name} ${stands(line)}` : "");
  const named = () => data.fields.map((f, i) =>
    `${f.name} = ${data.product ? stands(fields[i]) : told(f.labels[cell()])}`).join(", ");

  function curve() {
    page.lines({ box: one("chart"), caption: one("caption"), chart: chart(), xs: generations, at: at.get(time),
      logarithmic: one("chart-logarithmic").checked, hidden: state.hidden,
      go: (t) => { at.set(time, t); show(); } });
  }

  function show() {
    picture();
    for (const d of dims) {
      const text = stands(d), spoken = `${d.name} ${text}`;
      page.slide({ input: d.input, output: d.output, at: at.get(d), text, spoken });
    }
    one("line").value = at.get(line);
    const value = there() ? number(here()) : failed.has(cell()) ? "this cell failed" : "this cell is not there";
    one("picked").textContent = `${named()}; generation ${stands(time)}${of()}: ${value}`;
    one("cell").textContent = `${named()}, over generations`;
    curve();
    page.values({ table: one("values"), chart: chart(), at: at.get(time), hidden: state.hidden });
    one("alone").textContent = data.alone.replaceAll("@", String(cell()));
    list();
  }

  // Every cell.
  const order = { column: 0, down: false };
  let shown = PAGE;
  const columns = ["cell", ...data.fields.map((f) => f.name), "median", "5 %", "95 %"];
  const numeric = (j) => j === 0 || j > data.fields.length ||
    data.fields[j - 1].labels.every((text) => typeof text === "number");

  function valuesOf(c) {
    if (!data.product) return data.fields.map((f) => f.labels[c]);
    const out = [];
    for (const f of [...fields].reverse()) {
      out.unshift(f.labels[c % f.labels.length]);
      c = Math.floor(c / f.labels.length);
    }
    return out;
  }

  function pick(c) {
    for (const f of [...fields].reverse()) {
      at.set(f, c % f.labels.length);
      c = Math.floor(c / f.labels.length);
    }
    show();
  }

  // What stands in the columns of a cell that failed.
  function filled(box, j) {
    box.classList.add("failed");
    box.textContent = j === data.fields.length + 1 ? "failed" : "";
  }

  function list() {
    const q = current(), rows = [];
    for (let c = 0; c < cellCount; c++) {
      const i = place(c, at.get(time), at.get(line));
      rows.push([c, ...valuesOf(c), q.median[i], q.low[i], q.high[i]]);
    }
    page.sorted(rows, order.column, order.down);
    one("told").textContent = `${page.titled(q)}${of()}, at generation ${stands(time)}.`;
    const body = one("list").tBodies[0], focused = document.activeElement && document.activeElement.dataset.cell;
    body.replaceChildren();
    for (const row of rows.slice(0, shown)) {
      const made = element("tr", row[0] === cell() ? { "aria-current": "true" } : {}, body);
      row.forEach((v, j) => {
        const box = element("td", numeric(j) ? { class: "number" } : {}, made);
        if (j > data.fields.length && failed.has(row[0])) filled(box, j);
        else if (j) box.textContent = typeof v === "string" ? v : number(v);
        else element("button", { type: "button", "data-cell": v }, box, whole.format(v)).addEventListener("click",
          () => pick(v));
      });
    }
    one("more").hidden = rows.length <= shown;
    const again = focused !== undefined && focused !== null && body.querySelector(`[data-cell="${focused}"]`);
    if (again) again.focus();
  }

  // Controls.
  function options(select, found, index) {
    select.replaceChildren();
    found.forEach((text, i) => element("option", { value: i }, select, text));
    select.value = index;
  }

  function axes() {
    const choices = data.product ? [...dims, line].filter((d) => d.labels.length > 1) : data.fields;
    while (choices.length < 2) choices.push(choices[0] === time ? line : time);
    const across = choices.includes(state.across) ? state.across : choices[0];
    let up = choices.includes(state.up) ? state.up : choices.find((d) => d !== across && d !== time);
    if (!up || up === across) up = choices.find((d) => d !== across) || across;
    [state.across, state.up] = [across, up];
    const names = choices.map((d) => d.name);
    for (const [id, key] of [["across", "across"], ["up", "up"]]) {
      options(one(id), names, choices.indexOf(state[key]));
      one(id).onchange = (event) => {
        const other = key === "across" ? "up" : "across", wanted = choices[+event.target.value];
        if (state[other] === wanted) state[other] = state[key];
        state[key] = wanted;
        axes();
        show();
      };
    }
  }

  // The line that is known of most cells, and tells most of them apart, at the last generation.
  function telling(q) {
    const t = generations.length - 1;
    const spread = q.lines.map((_, l) => {
      const found = data.ids.map((_, c) => q.median[place(c, t, l)]).filter((v) => v !== null);
      return found.length * new Set(found.map((v) => v.toPrecision(2))).size;
    });
    return spread.indexOf(Math.max(...spread));
  }

  function choose(index) {
    state.quantity = index;
    state.hidden.clear();
    const q = current();
    if (q.kind !== line.name || !q.kind) at.set(line, telling(q));
    line.labels = q.labels;
    line.name = q.kind;
    options(one("line"), q.labels, at.get(line));
    one("of").hidden = q.lines.length < 2;
    one("border").hidden = !data.product;
    one("kind").textContent = q.kind ? q.kind[0].toUpperCase() + q.kind.slice(1) : "";
    one("logarithmic").checked = false;
    one("chart-logarithmic").checked = q.logarithmic;
    one("boundary").value = q.share ? "0.5" : "";
    axes();
    page.keys({ box: one("lines"), chart: chart(), hidden: state.hidden, changed: show });
    show();
  }

  function sliders() {
    for (const [i, d] of dims.entries()) {
      const box = element("div", { class: "slider" }, one("sliders")), id = `slider-${i}`;
      element("label", { for: id }, box, `${d.name} `);
      d.output = element("output", { for: id }, box);
      const most = d.labels.length - 1;
      d.input = element("input", { type: "range", id, min: 0, max: most, step: 1, "data-dim": d.name }, box);
      d.input.disabled = most === 0;
      d.input.addEventListener("input", () => { at.set(d, +d.input.value); show(); });
    }
  }

  const ARROWS = { ArrowLeft: ["across", -1], ArrowRight: ["across", 1], ArrowUp: ["up", 1], ArrowDown: ["up", -1] };
  function move(event) {
    const [key, step] = ARROWS[event.key] || [];
    if (!key || !data.product) return;
    event.preventDefault();
    const d = state[key], to = at.get(d) + step;
    if (to >= 0 && to < d.labels.length) { at.set(d, to); show(); }
  }

  if (!quantities.length) return;
  for (const id of ["map", "one", "cells"]) one(id).hidden = false;
  options(one("quantity"), quantities.map((q) => q.title), 0);
  one("quantity").addEventListener("change", (event) => choose(+event.target.value));
  one("line").addEventListener("change", (event) => { at.set(line, +event.target.value); show(); });
  for (const id of ["logarithmic", "boundary"]) one(id).addEventListener("input", show);
  one("chart-logarithmic").addEventListener("change", curve);
  one("plane").addEventListener("keydown", move);
  one("more").addEventListener("click", () => { shown += 10 * PAGE; list(); });
  const first = (j) => j > data.fields.length;
  page.headings({ row: one("list").tHead.rows[0], columns, isNumber: numeric, first, order, changed: list });
  sliders();
  choose(0);
  page.redrawn(one("plane"), picture);
  page.redrawn(one("chart"), curve);
})();
