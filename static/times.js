// Relative times that stay fresh, with the exact ones on hover.

const UNITS = [["y", 31536e6], ["d", 864e5], ["h", 36e5], ["min", 6e4], ["s", 1e3]];
const JUST_NOW = 5e3;

// How long ago something was, in words, from milliseconds; negative of what is to come. As `age` of config/durations.py.
export function age(milliseconds) {
  const length = Math.abs(milliseconds);
  if (length < JUST_NOW) return "just now";
  const [unit, size] = UNITS.find(([, least]) => length >= least);
  const written = `${Math.floor(length / size)} ${unit}`;
  return milliseconds > 0 ? `${written} ago` : `in ${written}`;
}

// Tell the server which zone this browser is in, for whoever has chosen that; the next page is written in it.
export function sayZone() {
  if (!("saysZone" in document.documentElement.dataset)) return;
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const safe = location.protocol === "https:" ? "; secure" : "";
  document.cookie = `time_zone=${zone}; path=/; max-age=31536000; samesite=lax${safe}`;
}

export function freshenTimes(root = document) {
  for (const time of root.querySelectorAll("time[data-ago]")) {
    const moment = new Date(time.dateTime);
    const local = moment.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "long" });
    time.title = `${time.dateTime.slice(0, 19).replace("T", " ")} UTC, ${local} here`;
    time.textContent = age(Date.now() - moment);
  }
}
