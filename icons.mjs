// The icons that pages show, of the set @primer/octicons, as one file: set-up writes it to static/vendor/icons.svg.
import { readFileSync, writeFileSync } from "node:fs";

const SET = "node_modules/@primer/octicons/build/svg";
// Our word for each, and the set's.
const ICONS = {
  // states
  "in-step": "check-circle-fill", working: "sync", waiting: "alert-fill", "needs-you": "x-circle-fill", held: "pause",
  off: "circle-slash",
  // places
  overview: "home", cohorts: "people", sessions: "arrow-switch", failures: "alert", people: "person",
  destinations: "broadcast", send: "paper-airplane", connections: "plug", settings: "gear", audit: "log",
  account: "person-fill", more: "kebab-horizontal",
  // what can be done
  search: "search", copy: "copy", filter: "filter", download: "download", add: "plus", compare: "git-compare",
  remove: "trash", edit: "pencil", rotate: "key", again: "sync", open: "chevron-down", up: "arrow-up", down: "arrow-down",
  rename: "tag",
};

const symbols = Object.entries(ICONS).map(([name, of]) => {
  const drawn = readFileSync(`${SET}/${of}-16.svg`, "utf8").replace(/^<svg[^>]*>|<\/svg>\s*$/g, "");
  return `<symbol id="${name}" viewBox="0 0 16 16" fill="currentColor">${drawn}</symbol>`;
});
writeFileSync("static/vendor/icons.svg", `<svg xmlns="http://www.w3.org/2000/svg">\n${symbols.join("\n")}\n</svg>\n`);
