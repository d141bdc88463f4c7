(() => {
  const { data, one, element, whole, number } = page;
  const PAGE = 50;

  // Charts.
  const state = { chart: 0, at: data.generations.length - 1, hidden: new Set() };

  function draw() {
    page.lines({ box: one("chart"), caption: one("caption"), chart: data.charts[state.chart],
      xs: data.generations, at: state.at, logarithmic: one("logarithmic").checked, hidden: state.hidden, go });
  }

  function go(at) {
    state.at = at;
    draw();
    const shown = whole.format(data.generations[at]);
    page.slide({ input: one("generation"), output: one("shown"), at, text: shown, spoken: `generation ${shown}` });
    page.values({ table: one("values"), chart: data.charts[state.chart], at, hidden: state.hidden });
  }

  function choose(index) {
    state.chart = index;
    state.hidden.clear();
    one("logarithmic").checked = data.charts[index].logarithmic;
    const chart = data.charts[index];
    page.keys({ box: one("lines"), chart, hidden: state.hidden, changed: () => go(state.at) });
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
  const isNumber = (j) => j !== 0 && j !== 2;
  let shown = PAGE;

  function list() {
    const text = one("find").value.trim().toLowerCase(), band = one("band").value;
    const gone = one("gone").checked;
    const found = words.rows.filter((row) => row[0].toLowerCase().includes(text) && (!band || row[2] === band) &&
      (!gone || row[3] !== null));
    page.sorted(found, order.column, order.down);
    const rest = words.left_out ? `; the ${whole.format(words.left_out)} rarest are not listed here` : "";
    one("found").textContent = `${whole.format(found.length)} of ${whole.format(words.rows.length)}${rest}`;
    const body = one("list").tBodies[0];
    body.replaceChildren();
    for (const row of found.slice(0, shown)) {
      const line = element("tr", {}, body);
      row.forEach((v, j) => {
        const plain = isNumber(j) ? (j === 3 && v === null ? "still there" : number(v)) : v;
        element("td", isNumber(j) ? { class: "number" } : {}, line, plain);
      });
    }
    one("more").hidden = found.length <= shown;
  }

  const columns = words.columns, row = one("list").tHead.rows[0];
  page.headings({ row, columns, isNumber, first: (j) => j === 1, order, changed: list });
  element("option", { value: "" }, one("band"), "all");
  for (const band of new Set(words.rows.map((row) => row[2]))) element("option", { value: band }, one("band"), band);
  const afresh = () => { shown = PAGE; list(); };
  one("find").addEventListener("input", afresh);
  one("band").addEventListener("change", afresh);
  one("gone").addEventListener("change", afresh);
  one("more").addEventListener("click", () => { shown += 10 * PAGE; list(); });
  list();
})();
