// Charts, drawn from the tables below them. Chart.js is a script of its own, and only on the pages that have a chart.

import { axisOf, longestLine, places, timeScale } from "./time_axis.js";

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
const COLOURS = ["accent", "in-step", "waiting", "needs-you", "held"];

// Columns that mark a line's moments: syncs as low bars at its foot, renames as points on it.
const MARKS = {
  "Syncs": () => ({ type: "bar", yAxisID: "marks", backgroundColor: `${colour("quiet")}66`, borderColor: colour("quiet"), borderWidth: 0, maxBarThickness: 12 }),
  "Size when renamed": () => ({ showLine: false, fill: false, pointRadius: 6, pointStyle: "rectRot", borderColor: colour("held"), backgroundColor: colour("held") }),
};

function readTable(figure) {
  const heads = [...figure.querySelectorAll("thead th")].map((cell) => cell.dataset.name ?? cell.textContent.trim());
  const inOrder = [...figure.querySelectorAll("tbody tr")].sort((one, other) => (one.dataset.at ?? 0) - (other.dataset.at ?? 0));
  const rows = inOrder.map((row) => [...row.children]);
  return {
    labels: rows.map((row) => row[0].textContent.trim()),
    series: heads.slice(1).map((name, place) => ({
      name, values: rows.map((row) => (row[place + 1].dataset.value === "" ? null : Number(row[place + 1].dataset.value))),
    })).filter(({ values }) => values.some((value) => !Number.isNaN(value))),
  };
}

// The step between the lines of an axis whose zero is one of them: 1, 2 or 5 times a power of ten.
function stepOf(reach) {
  const power = 10 ** Math.floor(Math.log10(Math.max(reach, 4) / 4));
  return Math.max(1, [1, 2, 5, 10].find((times) => times * power * 4 >= reach) * power);
}

// Bars up and down from a zero that is always on the axis, with as much room as each direction needs.
function boundsOf(series) {
  const below = Math.max(0, ...series.filter(({ name }) => name === "Left").flatMap(({ values }) => values));
  const above = Math.max(0, ...series.filter(({ name }) => name !== "Left").flatMap(({ values }) => values));
  const step = stepOf(Math.max(below, above));
  return { min: -Math.ceil(below / step) * step, max: Math.max(1, Math.ceil(above / step)) * step, ticks: { stepSize: step } };
}

const SHORT = { notation: "compact", maximumSignificantDigits: 4 };
const NUMBERS = new Intl.NumberFormat(undefined, { ...SHORT, signDisplay: "negative" });
const SIGNS = new Intl.NumberFormat(undefined, { ...SHORT, signDisplay: "exceptZero" });

// The letters of the page; Chart.js has others of its own.
const letters = () => ({ family: getComputedStyle(document.body).fontFamily, size: 13 });

// At the ends of an axis that goes both ways: which way is which.
const DIRECTIONS = {
  id: "directions",
  afterDraw({ ctx, chartArea: { left, top, bottom } }) {
    ctx.save();
    ctx.font = `13px ${letters().family}`;
    ctx.fillStyle = colour("quiet");
    ctx.fillText("+ entered", left + 8, top + 12);
    ctx.fillText("− left", left + 8, bottom - 8);
    ctx.restore();
  },
};

// The moment that the members below are of, as the page says it by now.
const AS_OF = {
  id: "as-of",
  afterDraw({ ctx, chartArea, scales: { x, y } }) {
    const { at, size, says } = document.getElementById("as-of")?.dataset ?? {};
    if (!at || at < x.min || at > x.max) return;
    const [across, up] = [x.getPixelForValue(Number(at)), y.getPixelForValue(Number(size))];
    ctx.save();
    ctx.strokeStyle = colour("held");
    ctx.fillStyle = colour("held");
    ctx.setLineDash([4, 4]);
    ctx.beginPath();
    ctx.moveTo(across, chartArea.top);
    ctx.lineTo(across, chartArea.bottom);
    ctx.stroke();
    ctx.beginPath();
    ctx.arc(across, up, 5, 0, 2 * Math.PI);
    ctx.fill();
    ctx.font = `600 13px ${letters().family}`;
    const isRight = across > (chartArea.left + chartArea.right) / 2;
    ctx.textAlign = isRight ? "right" : "left";
    ctx.fillText(says, across + (isRight ? -8 : 8), chartArea.bottom - 8);
    ctx.restore();
  },
};

function settings(kind, { labels, series }, axis) {
  const quiet = colour("quiet");
  const line = colour("line");
  const bars = kind === "bars";
  const bounds = bars ? boundsOf(series) : {};
  const isArea = !bars && series.filter(({ name }) => !(name in MARKS)).length === 1;
  const goesBothWays = bars && series.some(({ name }) => name === "Left");
  const at = axis && places(axis, bars);
  const signs = goesBothWays ? SIGNS : NUMBERS;
  const known = (values) => (axis && !bars ? values.map((value, place) => (axis.silent[place] ? null : value)) : values);
  const points = (values) => (axis ? values.map((value, place) => ({ x: at[place], y: value })) : values);
  return {
    plugins: [...(goesBothWays ? [DIRECTIONS] : []), ...(axis && !bars ? [AS_OF] : [])],
    type: bars ? "bar" : "line",
    data: {
      labels,
      datasets: series.map(({ name, values }, place) => ({
        label: name,
        data: points(bars && name === "Left" ? values.map((value) => -value) : known(values)),
        spanGaps: axis ? longestLine(axis) : false,
        backgroundColor: bars ? colour({ Entered: "in-step", Left: "waiting", Refused: "needs-you" }[name] ?? COLOURS[place]) : `${colour(COLOURS[place])}22`,
        borderColor: colour(COLOURS[place]),
        borderWidth: bars ? 0 : 2,
        fill: isArea && place === 0,
        stepped: kind === "steps",
        pointRadius: values.length > 60 ? 0 : 2,
        stack: bars ? "one" : undefined,
        maxBarThickness: 48, // a cohort of an hour has one bar
        ...(bars ? {} : MARKS[name]?.()),
      })),
    },
    options: {
      animation: false,
      maintainAspectRatio: false,
      interaction: { mode: "index", intersect: false },
      plugins: {
        legend: { display: series.length > 1, labels: { color: quiet, boxWidth: 12, font: letters() } },
        tooltip: {
          backgroundColor: colour("surface"), titleColor: colour("text"), bodyColor: colour("text"), borderColor: line, borderWidth: 1,
          titleFont: letters(), bodyFont: letters(),
          callbacks: {
            title: ([item]) => (item ? labels[item.dataIndex] : ""),
            label: (item) => `${item.dataset.label}: ${Math.abs(item.parsed.y).toLocaleString()}`,
          },
        },
      },
      scales: {
        x: axis ? timeScale(axis, { quiet, line, bars, font: letters() }) : { stacked: bars, ticks: { color: quiet, font: letters(), maxRotation: 0, autoSkipPadding: 16 }, grid: { display: false } },
        y: { stacked: bars, beginAtZero: true, ...bounds, ticks: { color: quiet, font: letters(), ...bounds.ticks, callback: (value) => signs.format(value).replace("-", "−") }, grid: { color: ({ tick }) => (tick.value === 0 ? quiet : line) } },
        marks: { axis: "y", display: false, min: 0, max: 8 * Math.max(1, ...series.filter(({ name }) => name === "Syncs").flatMap(({ values }) => values)) },
      },
    },
  };
}

function readByKeys(canvas, chart, says, table) {
  let place = table.labels.length - 1;
  canvas.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step) return;
    event.preventDefault();
    place = Math.min(Math.max(place + step, 0), table.labels.length - 1);
    says.textContent = `${table.labels[place]}: ${table.series.map(({ name, values }) => `${name} ${values[place]?.toLocaleString() ?? "-"}`).join(", ")}`;
    const active = chart.data.datasets.map((_, datasetIndex) => ({ datasetIndex, index: place }));
    chart.tooltip.setActiveElements(active, { x: 0, y: 0 });
    chart.update();
  });
}

export function drawCharts(root = document) {
  if (!window.Chart) return;
  for (const canvas of document.querySelectorAll("figure[data-drawn] canvas")) Chart.getChart(canvas)?.draw();
  for (const figure of root.querySelectorAll("figure[data-chart]:not([data-drawn])")) {
    const table = readTable(figure);
    if (!table.labels.length) continue;
    figure.dataset.drawn = "";
    const area = figure.querySelector(".chart-area");
    const canvas = area.querySelector("canvas");
    area.hidden = false;
    const chart = new Chart(canvas, settings(figure.dataset.chart, table, axisOf(figure)));
    readByKeys(canvas, chart, area.querySelector(".chart-says"), table);
  }
}
