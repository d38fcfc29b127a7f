(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const DASHES = ["", "7 3", "2 3", "9 3 2 3"];
  const HEIGHT = 190;
  const MARGIN = { left: 52, right: 10, top: 10, bottom: 24 };

  const colour = (number) => `var(--s${number % 8})`;
  const dash = (number) => DASHES[number % DASHES.length];

  // Tables.
  const valueOf = (row, column, isText) => {
    const cell = row.cells[column];
    const value = cell.dataset.value;
    if (isText) return value ?? cell.textContent;
    return value === undefined ? null : Number(value);
  };
  const sort = (head) => {
    const isText = head.dataset.sort === "text";
    const body = head.closest("table").tBodies[0];
    body.append(...sorted([...body.rows], (row) => valueOf(row, head.cellIndex, isText), turned(head)));
  };
  document.addEventListener("click", (event) => {
    const button = event.target.closest("th[data-sort] button");
    if (button) sort(button.closest("th"));
  });

  // Every clip in numbers, of one metric.
  const head = (text, isUp) => {
    const isText = isUp === undefined;
    const button = make("button", { type: "button" }, text, make("span", { class: "mark", "aria-hidden": "true" }));
    const kind = isText ? "text" : "number";
    return make("th", { scope: "col", class: kind, "data-sort": kind, "data-first": isUp ? "descending" : "ascending" }, button);
  };
  const everyClip = (section, metric) => {
    const rows = section.clips.map((clip) => {
      const means = clip.means.map((each) => each[metric.key] ?? null);
      const there = means.filter((value) => value !== null);
      const best = there.length > 1 ? Math[metric.up ? "max" : "min"](...there) : NaN;
      const cells = means.map((value) => {
        const text = shown(value, metric.digits);
        const isBest = shown(best, metric.digits) === text;
        const cell = make("td", { class: value === null ? "number absent" : "number" }, isBest ? make("strong", {}, text) : text);
        if (value !== null) cell.dataset.value = value;
        return cell;
      });
      return make("tr", {}, make("th", { scope: "row", "data-value": clip.name }, clip.name), ...cells);
    });
    const heads = [head("Clip"), ...section.methods.map((method) => head(method, metric.up))];
    const caption = make("caption", {}, `${metric.name} of every clip`);
    return make("table", { class: "sortable" }, caption, make("thead", {}, make("tr", {}, ...heads)), make("tbody", {}, ...rows));
  };

  // Plots: a line a method, over the frames of a clip.
  const ticks = (low, high, count) => {
    const rough = (high - low) / count;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = power * [1, 2, 5, 10].find((each) => each * power >= rough);
    const found = [];
    for (let at = Math.ceil(low / step - 1e-9) * step; at <= high + step * 1e-6; at += step) found.push(at);
    return { found, digits: Math.max(0, -Math.floor(Math.log10(step) + 1e-9)) };
  };
  const range = (series, key) => {
    let [low, high, last] = [Infinity, -Infinity, 1];
    for (const each of series) {
      for (const value of each.values[key] ?? []) {
        if (value === null) continue;
        low = Math.min(low, value);
        high = Math.max(high, value);
      }
      for (const at of each.at) last = Math.max(last, at);
    }
    if (low > high) return null;
    const pad = (high - low || Math.abs(high) || 1) * 0.06;
    return { low: low - pad, high: high + pad, last };
  };
  const path = (at, values, x, y) => {
    let text = "";
    let isDown = false;
    values.forEach((value, number) => {
      if (value === null) isDown = false;
      else {
        text += `${isDown ? "L" : "M"}${x(at[number]).toFixed(1)} ${y(value).toFixed(1)}`;
        isDown = true;
      }
    });
    return text;
  };
  const legend = (place, section, metric, index, values) => {
    const where = make("span", { class: "where" }, index === null ? `${metric.name} by frame; the clip’s mean` : `frame ${index}`);
    const keys = section.methods.map((method, number) => {
      const line = draw("svg", { viewBox: "0 0 28 10", "aria-hidden": "true" });
      line.append(draw("line", { x1: 0, x2: 28, y1: 5, y2: 5, "stroke-width": 2, "stroke-dasharray": dash(number), style: `stroke:${colour(number)}` }));
      const value = make("b", {}, shown(values[number], metric.digits));
      return make("span", { class: "key" }, line, method, value);
    });
    place.replaceChildren(...keys, where);
  };
  const plot = (figure, section, metric) => {
    const clip = section.clips[figure.dataset.clip];
    const series = section.plots[figure.dataset.clip];
    const chart = figure.querySelector(".chart");
    const words = figure.querySelector(".legend");
    const means = clip.means.map((each) => each[metric.key] ?? null);
    const extent = range(series, metric.key);
    if (!extent) {
      chart.replaceChildren(make("p", { class: "note" }, `${metric.name} has no values in this clip.`));
      words.replaceChildren();
      return;
    }
    const width = Math.max(280, Math.round(chart.clientWidth || 900));
    const x = (at) => MARGIN.left + (at / extent.last) * (width - MARGIN.left - MARGIN.right);
    const y = (value) =>
      MARGIN.top + ((extent.high - value) / (extent.high - extent.low)) * (HEIGHT - MARGIN.top - MARGIN.bottom);
    const svg = draw("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, role: "img", "aria-label": `${metric.name} of each frame of ${clip.name}` });
    const up = ticks(extent.low, extent.high, 4);
    for (const value of up.found) {
      svg.append(draw("line", { class: "grid", x1: MARGIN.left, x2: width - MARGIN.right, y1: y(value), y2: y(value) }));
      svg.append(draw("text", { x: MARGIN.left - 8, y: y(value) + 4, "text-anchor": "end" }, shown(value, up.digits)));
    }
    const along = ticks(0, extent.last, Math.max(2, Math.round(width / 130))).found.filter(Number.isInteger);
    along.forEach((at, number) => {
      const anchor = number ? (x(at) > width - 30 ? "end" : "middle") : "start";
      svg.append(draw("text", { x: x(at), y: HEIGHT - 6, "text-anchor": anchor }, number ? String(at) : `frame ${at}`));
    });
    series.forEach((each, number) => {
      const line = path(each.at, each.values[metric.key] ?? [], x, y);
      svg.append(draw("path", { class: "line", d: line, "stroke-dasharray": dash(number), style: `stroke:${colour(number)}` }));
    });
    const cursor = draw("line", { class: "cursor", y1: MARGIN.top, y2: HEIGHT - MARGIN.bottom, visibility: "hidden" });
    svg.append(cursor);
    chart.replaceChildren(svg);
    legend(words, section, metric, null, means);
    const frameAt = (event) => {
      const box = svg.getBoundingClientRect();
      const at = ((event.clientX - box.left) * (width / box.width) - MARGIN.left) / (width - MARGIN.left - MARGIN.right);
      const all = series.find((each) => each.at.length).at;
      const wanted = at * extent.last;
      return all.reduce((best, each) => (Math.abs(each - wanted) < Math.abs(best - wanted) ? each : best), all[0]);
    };
    svg.addEventListener("pointermove", (event) => {
      const frame = frameAt(event);
      cursor.setAttribute("x1", x(frame));
      cursor.setAttribute("x2", x(frame));
      cursor.setAttribute("visibility", "visible");
      legend(words, section, metric, frame, series.map((each) => each.values[metric.key]?.[each.at.indexOf(frame)] ?? null));
    });
    svg.addEventListener("pointerleave", () => {
      cursor.setAttribute("visibility", "hidden");
      legend(words, section, metric, null, means);
    });
    // A click shows the frame in the clip's film.
    svg.addEventListener("click", (event) => {
      const film = figure.closest(".clip").querySelector("video");
      if (film) {
        film.pause();
        film.currentTime = (frameAt(event) + 0.5) / Number(film.dataset.rate);
      }
    });
  };

  const show = (place, section, key) => {
    const metric = section.metrics.find((each) => each.key === key);
    const chooser = place.querySelector(".chooser");
    chooser.dataset.chosen = `${metric.name} ${metric.up ? "↑" : "↓"}`;
    place.querySelector(".meaning").textContent = metric.meaning;
    for (const block of place.querySelectorAll(".worst")) block.hidden = block.dataset.metric !== key;
    place.querySelector(".every").replaceChildren(everyClip(section, metric));
    for (const figure of place.querySelectorAll(".plot")) plot(figure, section, metric);
  };
  for (const place of document.querySelectorAll(".run")) {
    const section = data.sections[place.dataset.section];
    const select = place.querySelector("select.metric");
    if (!select) continue;
    const explore = place.querySelector(".explore");
    select.addEventListener("change", () => show(explore, section, select.value));
    let width = 0;
    new ResizeObserver(([entry]) => {
      const now = Math.round(entry.contentRect.width);
      if (now !== width) {
        width = now;
        show(explore, section, select.value);
      }
    }).observe(explore);
    show(explore, section, select.value);
  }
  for (const film of document.querySelectorAll(".film")) {
    film.querySelector("video").poster = film.querySelector(".still").src;
  }
  // Films: , and . go a frame back and forth, as in players.
  document.addEventListener("keydown", (event) => {
    const film = event.target;
    if (!(film instanceof HTMLVideoElement) || !",.".includes(event.key)) return;
    film.pause();
    film.currentTime += (event.key === "." ? 1 : -1) / Number(film.dataset.rate);
  });
  // Paper shows everything that can be opened; afterwards it is as it was.
  let opened = [];
  window.addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details:not([open])")];
    for (const each of opened) each.open = true;
  });
  window.addEventListener("afterprint", () => {
    for (const each of opened) each.open = false;
  });
})();
