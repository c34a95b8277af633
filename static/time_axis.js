// The time axis of a chart, true to time: ticks at round moments with a mark where a day begins, and gaps where nothing came.

const HOUR = 36e5;
const DAY = 24 * HOUR;
const STEPS = [1, 2, 3, 6, 12, 24, 48, 168, 336, 672, 2184, 8736].map((hours) => hours * HOUR);
const ROOM = 72; // px that a tick's words need

// How many milliseconds a clock of the zone is ahead of UTC at a moment.
function ahead(zone, moment) {
  const fields = { year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", hourCycle: "h23" };
  const parts = new Intl.DateTimeFormat("en-GB", { timeZone: zone, ...fields }).formatToParts(moment);
  const [year, month, day, hour, minute] = Object.keys(fields).slice(0, 5).map((type) => Number(parts.find((part) => part.type === type).value));
  return Date.UTC(year, month - 1, day, hour, minute) - Math.floor(moment / 6e4) * 6e4;
}

// What the figure says of its axis; nothing where its rows have names alone.
export function axisOf(figure) {
  const { unit, since, until, zone } = figure.dataset;
  if (!until) return null;
  const rows = [...figure.querySelectorAll("tbody tr")];
  return {
    unit: Number(unit), since: Number(since), until: Number(until), zone, ahead: ahead(zone, Number(until)),
    starts: rows.map((row) => Number(row.dataset.at)),
    silent: rows.map((row) => "silent" in row.dataset),
  };
}

// Where the rows stand: bars in the middle of their stretch, sizes at its end.
export function places({ unit, starts }, isBars) {
  const now = Date.now();
  return starts.map((start) => (isBars ? start + unit / 2 : Math.min(start + unit, Math.max(now, start))));
}

// Silence of up to twice what is usual between two rows with data is no gap.
export function longestLine({ starts, silent, unit }) {
  const heard = starts.filter((_, place) => !silent[place]);
  const waits = heard.slice(1).map((start, place) => start - heard[place]).sort((one, other) => one - other);
  return 2 * Math.max(unit, waits[Math.floor(waits.length / 2)] ?? unit);
}

const written = (moment, zone, options) => new Intl.DateTimeFormat("en-GB", { timeZone: zone, ...options }).format(moment);

function tickWords(moment, { zone, since, until, ahead: offset }) {
  if ((moment + offset) % DAY) return written(moment, zone, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const isLong = until - since > 300 * DAY;
  return written(moment, zone, isLong ? { month: "short", year: "numeric" } : { day: "numeric", month: "short" });
}

export function timeScale(axis, { quiet, line, bars, font }) {
  return {
    type: "linear", min: axis.since, max: axis.until, stacked: bars, offset: false,
    grid: { offset: false, color: ({ tick }) => (tick && (tick.value + axis.ahead) % DAY === 0 && axis.unit < DAY ? line : "transparent"), tickColor: line },
    ticks: { color: quiet, font, maxRotation: 0, autoSkip: false, callback: (moment) => tickWords(moment, axis) },
    afterBuildTicks(scale) {
      const most = Math.max(2, Math.floor(scale.width / ROOM));
      const step = STEPS.find((one) => one >= axis.unit && (axis.until - axis.since) / one <= most) ?? STEPS.at(-1);
      const first = Math.ceil((axis.since + axis.ahead) / step) * step - axis.ahead;
      const count = Math.floor((axis.until - first) / step) + 1;
      scale.ticks = Array.from({ length: count }, (_, place) => ({ value: first + place * step }));
    },
  };
}
