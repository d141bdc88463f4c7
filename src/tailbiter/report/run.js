(() => {
  const { data, one, element, drawn, whole, number } = page;
  const PAGE = 50;

  // Charts.
  const state = { chart: 0, at: data.generations.length - 1, hidden: new Set() };

  function draw() {
    page.lines({ box: one("chart"), caption: one("caption"), chart: data.charts[state.chart],
      xs: data.generations, at: state.at, logarithmic: one("logarithmic").checked, hidden: state.hidden, go });
  }

  // What else follows the generation.
  let follow = () => {};

  function go(at) {
    state.at = at;
    const shown = whole.format(data.generations[at]), spoken = `generation ${shown}`;
    if (data.charts.length) {
      draw();
      page.slide({ input: one("generation"), output: one("shown"), at, text: shown, spoken });
      page.values({ table: one("values"), chart: data.charts[state.chart], at, hidden: state.hidden });
    }
    follow(at, shown, spoken);
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
    page.redrawn(one("chart"), draw);
  }

  // What vanished. A row: name, expected count, band, generation from which most lineages lack it (or null),
  // share of lineages that lack it at the end, rank.
  const words = data.words;
  if (!words) return;
  one("words").hidden = false;
  const spread = (runs) => runs.flatMap(([value, count]) => new Array(count).fill(value));
  const expected = spread(words.expected), bands = spread(words.band), count = words.labels.length;
  const rankOf = (i) => (i < words.head ? i + 1 : words.total - count + i + 1);
  const rows = words.labels.map((name, i) =>
    [name, expected[i], bands[i], words.since[i] || null, words.lost[i] / words.lineages, rankOf(i)]);
  const lower = words.labels.map((name) => name.toLowerCase());
  const order = { column: 1, down: true };
  const isNumber = (j) => j !== 0 && j !== 2, COLUMNS = words.columns.length;
  let shown = PAGE, until = data.generations[state.at], chosen = Math.min(count - 1, Math.floor(Math.sqrt(count)));
  const isGone = (row) => row[3] !== null && row[3] <= until;

  // A name as it can be read: characters that are not seen, or turn what follows, are written out.
  const called = (name) => name.replace(/[\p{Cc}\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu,
    (c) => `\\u${c.codePointAt(0).toString(16).padStart(4, "0")}`) || "(no name)";

  function cells(line, row) {
    row.slice(0, COLUMNS).forEach((v, j) => {
      const plain = isNumber(j) ? (j === 3 && v === null ? "still there" : number(v)) : called(v);
      element("td", isNumber(j) ? { class: "number" } : { class: "name" }, line, plain);
    });
  }

  function list() {
    const text = one("find").value.trim().toLowerCase(), band = one("band").value;
    const gone = one("gone").checked;
    const found = rows.filter((row, i) => (!text || lower[i].includes(text)) && (!band || row[2] === band) &&
      (!gone || isGone(row)));
    page.sorted(found, order.column, order.down);
    one("found").textContent = `${whole.format(found.length)} of ${whole.format(count)}`;
    const body = one("list").tBodies[0];
    body.replaceChildren();
    for (const row of found.slice(0, shown)) cells(element("tr", {}, body), row);
    one("more").hidden = found.length <= shown;
  }

  // Ranks in at most so many bins, evenly spread on a logarithmic axis: how common, and what share is still there.
  function binned(most) {
    const found = [];
    for (let i = 0; i < count;) {
      let end = i + 1;
      const last = rows[i][5] * words.total ** (1 / most);
      while (end < count && rows[end][5] < last && rows[end][5] === rows[end - 1][5] + 1) end++;
      let there = 0;
      for (let j = i; j < end; j++) if (!isGone(rows[j])) there++;
      found.push({ from: rows[i][5], to: rows[end - 1][5] + 1, height: rows[(i + end) >> 1][1],
        there: there / (end - i) });
      i = end;
    }
    return found;
  }

  let bins = binned(160);

  function ranks() {
    const box = one("ranks"), { svg, width, height } = page.frame(box, 300), bottom = height - 32;
    const snapshot = data.snapshots.filter((s) => s.generation <= until).at(-1);
    const x = page.scale([1, words.total + 1], page.LEFT, width - page.RIGHT, true, true);
    const ends = [expected[0], expected[count - 1], ...data.snapshots.flatMap((s) => s.count)];
    const y = page.scale(ends, bottom, 10, true);
    page.axes({ svg, x, y, width, height, along: "rank" });
    const plot = page.clipped(svg, "ranks-plot", [page.LEFT, 6, width - page.RIGHT - page.LEFT, bottom - 6]);
    let curve = "";
    for (const { from, to, height: value, there } of bins) {
      const [left, right, top] = [x.place(from), x.place(to), y.place(value)].map((v) => v.toFixed(1));
      if (there) drawn("path", { class: "there", d: `M${left} ${bottom}V${top}H${right}V${bottom}Z`,
        opacity: 0.9 * there }, plot);
      curve += `${curve ? "L" : "M"}${left} ${top}H${right}`;
    }
    drawn("path", { class: "ranks", d: curve }, plot);
    if (snapshot) {
      drawn("path", { class: "snapshot", d: page.path(snapshot.rank, snapshot.count, x, y, true) }, plot);
    }
    const here = x.place(rows[chosen][5] + 0.5);
    drawn("line", { class: "cursor", x1: here, x2: here, y1: 10, y2: bottom }, svg);
    for (const kind of ["pointermove", "pointerdown"]) {
      svg.addEventListener(kind, (event) => {
        const inside = (event.clientX - svg.getBoundingClientRect().left) * width / svg.clientWidth;
        const share = (inside - page.LEFT) / (width - page.RIGHT - page.LEFT);
        point(nearRank((words.total + 1) ** Math.min(1, Math.max(0, share))));
      });
    }
    box.replaceChildren(svg);
    one("ranks-caption").textContent = "Count expected in the first human sample, by rank. The fuller the colour below the line, " +
      `the more of the categories of that rank are still there in most lineages at generation ${whole.format(until)}.` +
      (snapshot ? ` Dashed: counts by rank in one lineage at generation ${whole.format(snapshot.generation)}.` : "");
  }

  // The row whose rank is nearest.
  function nearRank(rank) {
    const at = Math.floor(rank) - 1, rest = words.total - count;
    if (at < words.head) return Math.max(0, Math.min(at, count - 1));
    if (at < words.head + rest) return at - words.head < rest / 2 ? words.head - 1 : words.head;
    return Math.min(count - 1, at - rest);
  }

  const STEPS = 1000;
  function point(i) {
    if (i === chosen) return;
    chosen = i;
    ranks();
    near();
  }

  // The categories around the chosen rank, at the generation.
  function near() {
    const body = one("near").tBodies[0], start = Math.max(0, Math.min(chosen - 3, count - 7));
    body.replaceChildren();
    for (let i = start; i < Math.min(count, start + 7); i++) {
      const row = rows[i], line = element("tr", i === chosen ? { "aria-current": "true" } : {}, body);
      const state = isGone(row) ? `gone since ${number(row[3])}` : "still there";
      element("td", { class: "number" }, line, whole.format(row[5]));
      element("td", { class: "name" }, line, called(row[0]));
      element("td", { class: "number" }, line, number(row[1]));
      element("td", {}, line, state);
    }
    const rank = whole.format(rows[chosen][5]), name = called(rows[chosen][0]);
    const at = Math.round(STEPS * Math.log(rows[chosen][5]) / Math.log(words.total + 1));
    page.slide({ input: one("rank"), output: one("at-rank"), at, text: `${rank}: \u2068${name}\u2069`, spoken: `rank ${rank}: ${name}` });
  }

  follow = (at, text, spoken) => {
    until = data.generations[at];
    page.slide({ input: one("until"), output: one("by"), at, text, spoken });
    one("when").textContent = text;
    bins = binned(160);
    ranks();
    near();
    shown = PAGE;
    list();
  };

  // A step of the slider is a rank where ranks are far apart.
  function step(event) {
    const rank = (words.total + 1) ** (+event.target.value / STEPS), before = rows[chosen][5];
    let next = nearRank(rank + 1e-9);
    const was = Math.round(STEPS * Math.log(before) / Math.log(words.total + 1));
    if (next === chosen) next += Math.sign(+event.target.value - was);
    next = Math.max(0, Math.min(count - 1, next));
    if (next === chosen) near();
    else point(next);
  }

  const columns = words.columns, row = one("list").tHead.rows[0];
  page.headings({ row, columns, isNumber, first: (j) => j === 1, order, changed: list });
  for (const [j, title] of ["rank", columns[0], columns[1], "at this generation, in most lineages"].entries()) {
    element("th", { scope: "col", ...(j % 2 ? {} : { class: "number" }) }, one("near").tHead.rows[0], title);
  }
  element("option", { value: "" }, one("band"), "all");
  for (const [band] of words.band) element("option", { value: band }, one("band"), band);
  if (count < words.total) {
    const [from, to] = [words.head + 1, words.total - count + words.head].map((n) => whole.format(n));
    one("left-out").textContent = `There is room here for ${whole.format(count)} of ${whole.format(words.total)} ` +
      `categories: the commonest and the rarest. Those of rank ${from} to ${to} are left out, expected from ` +
      `${number(rows[words.head - 1][1])} to ${number(rows[words.head][1])} times at first.`;
  }
  const afresh = () => { shown = PAGE; list(); };
  one("find").addEventListener("input", afresh);
  one("band").addEventListener("change", afresh);
  one("gone").addEventListener("change", afresh);
  one("more").addEventListener("click", () => { shown += 10 * PAGE; list(); });
  one("until").max = data.generations.length - 1;
  one("until").addEventListener("input", (event) => go(+event.target.value));
  one("rank").max = STEPS;
  one("rank").addEventListener("input", step);
  go(state.at);
  page.redrawn(one("ranks"), ranks);
})();
