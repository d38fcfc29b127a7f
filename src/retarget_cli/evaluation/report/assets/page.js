"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const make = (name, attributes = {}, ...children) => {
    const node = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    node.append(...children);
    return node;
  };
  const svg = (name, attributes = {}, text = "") => {
    const node = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    node.textContent = text;
    return node;
  };
  const shown = (value, digits) =>
    value === null || value === undefined ? "n/a" : value.toFixed(digits).replace("-", "\u2212");

  // Tables: a click or Enter on a head sorts by it, a second one the other way. Rows without a value stay last.
  const sort = (head) => {
    const table = head.closest("table");
    const heads = [...head.parentNode.children];
    const column = heads.indexOf(head);
    const now = head.getAttribute("aria-sort");
    const other = { ascending: "descending", descending: "ascending" };
    const order = now ? other[now] : head.dataset.first;
    const sign = order === "ascending" ? 1 : -1;
    const value = (row) => {
      const text = row.children[column].dataset.value;
      if (text === undefined) return null;
      return head.dataset.sort === "number" ? Number(text) : text;
    };
    const compare = (one, two) => {
      const a = value(one), b = value(two);
      if (a === null || b === null) return (a === null) - (b === null);
      return sign * (typeof a === "number" ? a - b : a.localeCompare(b, undefined, { numeric: true }));
    };
    heads.forEach((each) => each.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", order);
    const body = table.tBodies[0];
    body.append(...[...body.rows].sort(compare));
  };
  document.addEventListener("click", (event) => {
    const button = event.target.closest("table.sortable th button");
    if (button) sort(button.closest("th"));
  });

  // Plots: a line a method over the frames of a clip.
  const WIDE = 760, HIGH = 170, LEFT = 52, BOTTOM = 22;
  const ticks = (low, high) => {
    const rough = (high - low) / 4 || 1;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((each) => each * power).find((each) => each >= rough);
    const found = [];
    for (let value = Math.ceil(low / step) * step; value <= high + step * 1e-6; value += step) found.push(value);
    return found;
  };
  const plot = (series, metric, methods) => {
    const values = series.flatMap((each) => (each.values[metric.key] || []).filter((value) => value !== null));
    if (!values.length) return make("p", { class: "note" }, `No frame has a value of ${metric.name}.`);
    let low = Math.min(...values), high = Math.max(...values);
    if (high - low < 1e-9) { low -= 0.5; high += 0.5; }
    const last = Math.max(1, ...series.flatMap((each) => each.at));
    const x = (at) => LEFT + (WIDE - LEFT) * at / last;
    const y = (value) => 6 + (HIGH - BOTTOM - 6) * (high - value) / (high - low);
    const picture = svg("svg", { viewBox: `0 0 ${WIDE} ${HIGH}`, role: "img", "aria-label": `${metric.name} of each frame` });
    for (const value of ticks(low, high)) {
      picture.append(svg("line", { class: "grid", x1: LEFT, x2: WIDE, y1: y(value), y2: y(value) }));
      picture.append(svg("text", { x: LEFT - 8, y: y(value) + 4, "text-anchor": "end" }, String(Number(value.toPrecision(4)))));
    }
    for (const at of ticks(0, last).filter(Number.isInteger)) {
      picture.append(svg("text", { x: x(at), y: HIGH - 5, "text-anchor": "middle" }, String(at)));
    }
    series.forEach((each, number) => {
      let path = "", isDown = false;
      (each.values[metric.key] || []).forEach((value, index) => {
        if (value === null) { isDown = false; return; }
        path += `${isDown ? "L" : "M"}${x(each.at[index]).toFixed(1)} ${y(value).toFixed(1)}`;
        isDown = true;
      });
      const line = svg("path", { class: "line", d: path, stroke: `var(--s${number % 6})` });
      if (number >= 6) line.setAttribute("stroke-dasharray", "5 3");
      line.append(svg("title", {}, methods[number]));
      picture.append(line);
    });
    return picture;
  };
  const key = (method, number) =>
    make("span", {}, make("i", { style: `border-color:var(--s${number % 6})` }), method);

  // What follows the chosen metric.
  const everyClip = (section, metric) => {
    const heads = [["Clip", "text", "ascending"], ...section.methods.map((name) => [name, "number", metric.up ? "ascending" : "descending"])];
    const head = make("tr", {}, ...heads.map(([label, kind, first]) =>
      make("th", { scope: "col", "data-sort": kind, "data-first": first, class: kind },
        make("button", { type: "button" }, label, make("span", { class: "mark", "aria-hidden": "true" })))));
    const rows = section.clips.map((clip) => make("tr", {},
      make("th", { scope: "row", "data-value": clip.name }, clip.name),
      ...clip.means.map((means) => {
        const value = means[metric.key];
        const there = value !== null && value !== undefined;
        return make("td", there ? { class: "number", "data-value": value } : { class: "number absent" }, shown(value, metric.digits));
      })));
    return make("table", { class: "sortable" }, make("thead", {}, head), make("tbody", {}, ...rows));
  };
  for (const element of document.querySelectorAll("section.run")) {
    const section = data.sections[Number(element.dataset.section)];
    const chooser = element.querySelector("select.metric");
    if (!chooser) continue;
    const show = () => {
      const metric = section.metrics.find((each) => each.key === chooser.value);
      const better = metric.up ? "higher is better" : "lower is better";
      element.querySelector(".meaning").textContent = `${metric.meaning}${metric.unit ? `, ${metric.unit}` : ""}; ${better}`;
      for (const block of element.querySelectorAll(".worst")) block.hidden = block.dataset.metric !== metric.key;
      element.querySelector(".every").replaceChildren(everyClip(section, metric));
      for (const figure of element.querySelectorAll("figure.plot")) {
        const series = section.plots[figure.dataset.clip];
        figure.querySelector(".chart").replaceChildren(plot(series, metric, section.methods));
        figure.querySelector(".legend").replaceChildren(
          `${metric.name} by frame`, ...section.methods.map(key));
      }
    };
    chooser.addEventListener("change", show);
    show();
  }

  // Films: , and . go a frame back and forth, as in players.
  document.addEventListener("keydown", (event) => {
    const film = event.target;
    if (!(film instanceof HTMLVideoElement) || !",.".includes(event.key)) return;
    film.pause();
    film.currentTime += (event.key === "." ? 1 : -1) / Number(film.dataset.rate || 25);
  });
  // Paper shows everything that can be opened.
  window.addEventListener("beforeprint", () => {
    for (const each of document.querySelectorAll("details")) each.open = true;
  });
})();
