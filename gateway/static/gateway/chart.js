// The chart of a page, from the data that stands beside it. Without this file the table has the same numbers.
(() => {
  const HEIGHT = 280;
  const PHONE = 480;
  const MANY = 92;
  const FONT = "12px system-ui, sans-serif";
  const drawn = new Map();

  // As whoever reads it writes numbers: all digits to be told, few for an axis.
  function writing({ kind, locale }) {
    const style = { usd: { style: "currency", currency: "USD", currencyDisplay: "narrowSymbol" }, share: { style: "percent" } }[kind];
    const exact = new Intl.NumberFormat(locale, { ...style, minimumFractionDigits: 0, maximumFractionDigits: kind === "share" ? 4 : 10 });
    const short = new Intl.NumberFormat(locale, { ...style, notation: "compact", maximumSignificantDigits: 3 });
    // $1.20, not $1.2: where one of an axis has cents, all have.
    const cents = new Intl.NumberFormat(locale, { ...style, minimumFractionDigits: 2, maximumFractionDigits: 2 });
    const haveCents = (values) =>
      kind === "usd" && values.some((value) => value % 1) && values.every((value) => value < 1000 && Math.abs(value * 100 - Math.round(value * 100)) < 1e-6);
    const unit = { tokens: " tokens", ms: " ms" }[kind] ?? "";
    const say = (value) => {
      if (kind === "ms") return value < 1000 ? `${short.format(value)} ms` : `${short.format(value / 1000)} s`;
      return short.format(value);
    };
    return {
      exact: (value) => exact.format(value) + unit,
      axis: (values) => values.map(haveCents(values) ? cents.format : say),
    };
  }

  // Steps by their beginnings, in the zone in which they begin.
  function labelsOf({ starts, bucket, locale, zone: timeZone }) {
    const time = { hour: "2-digit", minute: "2-digit" };
    const day = { day: "numeric", month: "short" };
    const form = {
      "15m": time,
      "1h": starts.length > 25 ? { weekday: "short", ...day, ...time } : { weekday: "short", ...time },
      "1d": starts.length > MANY ? { ...day, year: "numeric" } : { weekday: "short", ...day },
      month: { month: "short", year: "numeric" },
    }[bucket];
    const format = new Intl.DateTimeFormat(locale, { ...form, timeZone });
    return starts.map((at) => format.format(at * 1000));
  }

  // Custom properties say light-dark(…): what it comes to is a colour only where an element has it.
  function colourOf(name) {
    const probe = document.createElement("span");
    probe.className = `swatch ${name}`;
    probe.hidden = true;
    document.body.append(probe);
    const { backgroundColor } = getComputedStyle(probe);
    probe.remove();
    return backgroundColor;
  }

  // Each on those below it, so that painting from the top down leaves each one's own part to be seen.
  function stack(series) {
    const sums = series[0].values.map(() => 0);
    return series.map(({ values }) => values.map((value, at) => (sums[at] += value ?? 0)));
  }

  function order(chart) {
    const rows = chart.stacked ? stack(chart.series) : chart.series.map(({ values }) => values);
    const pairs = chart.series.map((each, at) => ({ ...each, rows: rows[at] }));
    return chart.stacked ? pairs.reverse() : pairs;
  }

  // What stands alone between gaps has no line: it is a dot, however many steps there are.
  function alone(values) {
    const known = (at) => values[at] !== null && values[at] !== undefined;
    return [...values.keys()].filter((at) => known(at) && !known(at - 1) && !known(at + 1));
  }

  function seriesOf(each, chart) {
    const colour = colourOf(`series-${each.colour}`);
    const many = chart.labels.length > MANY;
    if (!chart.stacked) {
      const points = { show: true, size: 5, fill: colour, filter: many ? () => alone(each.values) : undefined };
      return { label: each.name, stroke: colour, width: 2, points, spanGaps: false };
    }
    const size = many ? [1, Infinity] : [0.82, 72];
    return { label: each.name, fill: colour, stroke: colour, width: 0, paths: uPlot.paths.bars({ size, gap: 0 }), points: { show: false } };
  }

  // The last step is not over: it is striped.
  function stripe(plot, chart) {
    const { ctx, bbox } = plot;
    const last = chart.labels.length - 1;
    const left = plot.valToPos(last - 0.5, "x", true);
    const step = 7 * devicePixelRatio;
    ctx.save();
    ctx.beginPath();
    ctx.rect(left, bbox.top, bbox.left + bbox.width - left, bbox.height);
    ctx.clip();
    ctx.strokeStyle = colourOf("paper");
    ctx.lineWidth = 1.5 * devicePixelRatio;
    ctx.globalAlpha = 0.75;
    ctx.beginPath();
    for (let x = left - bbox.height; x < bbox.left + bbox.width; x += step) {
      ctx.moveTo(x, bbox.top + bbox.height);
      ctx.lineTo(x + bbox.height, bbox.top);
    }
    ctx.stroke();
    ctx.restore();
  }

  function axes(chart) {
    const [text, line] = [colourOf("soft"), colourOf("line")];
    const common = { stroke: text, font: FONT, ticks: { show: false } };
    const widest = Math.max(...chart.labels.map((label) => label.length)) * 7 + 16;
    return [
      {
        ...common,
        grid: { show: false },
        space: widest,
        size: 30,
        incrs: [1, 2, 3, 4, 6, 7, 12, 14, 24, 28, 30, 48, 60, 72, 90, 120, 180, 365],
        values: (_, places) => places.map((at) => chart.labels[at] ?? ""),
      },
      {
        ...common,
        grid: { stroke: line, width: 1 },
        size: 70,
        incrs: chart.kind === "count" || chart.kind === "tokens" ? [1, 2, 5].flatMap((n) => [...Array(13)].map((_, p) => n * 10 ** p)).sort((a, b) => a - b) : undefined,
        values: (_, places) => writing(chart).axis(places),
      },
    ];
  }

  function linesAt(chart, at) {
    const say = writing(chart).exact;
    const parts = chart.series
      .map(({ name, colour, values }) => ({ name, colour, value: values[at] }))
      .filter(({ value }) => (chart.stacked ? value : value !== null))
      .map((each) => ({ ...each, text: say(each.value) }));
    const total = chart.totals[at];
    const whole = total === null ? "nothing measured" : say(total);
    const running = chart.running && at === chart.labels.length - 1 ? ", not over" : "";
    return { when: `${chart.labels[at]}${running}`, whole, parts };
  }

  function element(tag, className, text = "") {
    return Object.assign(document.createElement(tag), { className, textContent: text });
  }

  function showAt(box, plot, chart, at) {
    const told = box.querySelector(".told");
    if (at === null || at === undefined) {
      told.hidden = true;
      return;
    }
    const { when, whole, parts } = linesAt(chart, at);
    const rows = parts.toReversed().map(({ name, colour, text }) => {
      const row = element("div", "");
      const bdi = element("bdi", "", name);
      row.append(element("span", `swatch series-${colour}`), bdi, element("b", "", text));
      return row;
    });
    told.replaceChildren(element("div", "when", `${when}: ${whole}`), ...(chart.series.length > 1 ? rows : []));
    told.hidden = false;
    const x = plot.over.offsetLeft + plot.valToPos(at, "x");
    const isRight = x > box.clientWidth / 2;
    told.style.left = isRight ? "" : `${x + 12}px`;
    told.style.right = isRight ? `${box.clientWidth - x + 12}px` : "";
  }

  function say(box, chart, at) {
    const { when, whole, parts } = linesAt(chart, at);
    const names = chart.series.length > 1 ? parts.map(({ name, text }) => `${name} ${text}`) : [];
    box.querySelector("[data-told]").textContent = [`${when}: ${whole}`, ...names].join("; ");
  }

  function walk(box, plot, chart) {
    const field = box.querySelector(".plot");
    const last = chart.labels.length - 1;
    let at = last;
    const go = (to) => {
      at = Math.min(Math.max(to, 0), last);
      plot.setCursor({ left: plot.valToPos(at, "x"), top: 0 });
      say(box, chart, at);
    };
    const keys = {
      ArrowLeft: () => go(at - 1),
      ArrowRight: () => go(at + 1),
      Home: () => go(0),
      End: () => go(last),
      Escape: () => plot.setCursor({ left: -10, top: -10 }),
    };
    field.onkeydown = (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || !Object.hasOwn(keys, event.key)) return;
      event.preventDefault();
      keys[event.key]();
    };
    field.onfocus = () => field.matches(":focus-visible") && go(at);
    field.onblur = () => plot.setCursor({ left: -10, top: -10 });
  }

  const heightOf = (field) => (field.clientWidth < PHONE ? HEIGHT * 0.75 : HEIGHT);

  function draw(box) {
    const chart = JSON.parse(document.getElementById(box.dataset.chart).textContent);
    if (!chart.series.length) return;
    chart.labels = labelsOf(chart);
    box.hidden = false;
    const field = box.querySelector(".plot");
    const ordered = order(chart);
    const options = {
      width: field.clientWidth,
      height: heightOf(field),
      legend: { show: false },
      padding: [10, 8, 0, 0],
      cursor: { y: false, drag: { x: false, y: false }, points: { show: !chart.stacked } },
      scales: {
        x: { time: false, range: () => [-0.5, chart.labels.length - 0.5] },
        y: { range: (_, low, high) => [Math.min(low ?? 0, 0), high > 0 ? high * 1.06 : 1] },
      },
      axes: axes(chart),
      series: [{}, ...ordered.map((each) => seriesOf(each, chart))],
      hooks: {
        draw: [(plot) => chart.running && stripe(plot, chart)],
        setCursor: [(plot) => showAt(box, plot, chart, plot.cursor.left < 0 ? null : plot.cursor.idx)],
      },
    };
    const plot = new uPlot(options, [chart.labels.map((_, at) => at), ...ordered.map(({ rows }) => rows)], field);
    walk(box, plot, chart);
    const watch = new ResizeObserver(() => {
      if (field.clientWidth && field.clientWidth !== plot.width) plot.setSize({ width: field.clientWidth, height: heightOf(field) });
    });
    watch.observe(box);
    drawn.set(box, { plot, watch });
  }

  function forget(box) {
    const { plot, watch } = drawn.get(box);
    watch.disconnect();
    plot.destroy();
    drawn.delete(box);
  }

  function drawAll() {
    for (const box of [...drawn.keys()]) if (!box.isConnected) forget(box);
    for (const box of document.querySelectorAll("[data-chart]")) if (!drawn.has(box)) draw(box);
  }

  function redraw() {
    for (const box of [...drawn.keys()]) forget(box);
    drawAll();
  }

  document.addEventListener("htmx:afterSettle", () => {
    drawAll();
    document.dispatchEvent(new Event("content-swapped"));
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  new MutationObserver(redraw).observe(document.documentElement, { attributeFilter: ["data-scheme", "class"] });
  drawAll();
})();
