"use strict";
const SVG = "http://www.w3.org/2000/svg";
const make = (name, attributes = {}, ...children) => {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
};
const draw = (name, attributes = {}, text = "") => {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.textContent = text;
  return element;
};
const shown = (value, digits) =>
  value === null || value === undefined ? "n/a" : value.toFixed(digits).replace("-", "\u2212");
// What sorts: absent values (null) stay at the end whichever way.
const order = new Intl.Collator(undefined, { numeric: true });
const sorted = (rows, valueOf, way) => {
  const sign = way === "ascending" ? 1 : -1;
  const known = rows.map((row) => ({ row, value: valueOf(row) }));
  known.sort((one, two) => {
    if (one.value === null || two.value === null) return (one.value === null) - (two.value === null);
    return sign * (typeof one.value === "string" ? order.compare(one.value, two.value) : one.value - two.value);
  });
  return known.map((each) => each.row);
};
// The way in which a click on a head sorts; the head shows it.
const turned = (head) => {
  const first = head.dataset.first;
  const other = first === "ascending" ? "descending" : "ascending";
  const way = head.getAttribute("aria-sort") === first ? other : first;
  for (const each of head.closest("tr").cells) each.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", way);
  return way;
};
