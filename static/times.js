// Relative times that stay fresh, with the exact ones on hover.

const UNITS = [["y", 31536e6], ["d", 864e5], ["h", 36e5], ["min", 6e4], ["s", 1e3]];

function ago(time) {
  const past = Date.now() - Date.parse(time.dateTime);
  const [unit, length] = UNITS.find(([, least]) => Math.abs(past) >= least) ?? ["s", 1e3];
  if (Math.abs(past) < 5000) return "just now";
  const span = `${Math.floor(Math.abs(past) / length)} ${unit}`;
  return past > 0 ? `${span} ago` : `in ${span}`;
}

export function freshenTimes(root = document) {
  for (const time of root.querySelectorAll("time[data-ago]")) {
    const moment = new Date(time.dateTime);
    const local = moment.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "long" });
    time.title = `${time.dateTime.slice(0, 19).replace("T", " ")} UTC, ${local} here`;
    time.textContent = ago(time);
  }
}
