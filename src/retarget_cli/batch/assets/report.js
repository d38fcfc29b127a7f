(() => {
  // Rows are arrays in the order of `columns`: of ten thousand items, only a page of them is ever drawn.
  const data = JSON.parse(document.getElementById("data").textContent);
  const PAGE = 100;
  const at = Object.fromEntries(data.columns.map((name, place) => [name, place]));
  const table = document.getElementById("items");
  const words = document.getElementById("words");
  const state = document.getElementById("state");
  const [before, after] = document.querySelectorAll(".turning button");
  const where = document.getElementById("where");
  const texts = data.rows.map((row) => row.filter((each) => typeof each === "string").join("\n").toLowerCase());
  let rows = data.rows.map((row, place) => ({ row, text: texts[place] }));
  let found = rows;
  let page = 0;

  const isolated = (text) => make("bdi", {}, text);
  const number = (value, digits) => make("td", { class: value === null ? "number absent" : "number" }, value === null ? "–" : shown(value, digits));
  const shots = (key) => {
    const pictures = data.pictures[key] ?? [];
    return make("td", { class: "shots" }, ...pictures.map((src) => make("img", { src, alt: "" })));
  };
  const drawn = ({ row }) =>
    make(
      "tr",
      {},
      number(row[at.number], 0),
      make("td", { class: row[at.state] }, row[at.state]),
      make("td", { class: "name" }, isolated(row[at.source])),
      make("td", { class: "name" }, isolated(row[at.driving])),
      make("td", {}, isolated(row[at.backend])),
      shots(row[at.number]),
      number(row[at.frames], 0),
      number(row[at.seconds], 1),
      number(row[at.fps], 1),
      make("td", {}, isolated(row[at.device])),
      number(row[at.peak], 0),
      number(row[at.attempts], 0),
      make("td", { class: "reason" }, isolated(row[at.reason])),
      make("td", { class: "name" }, isolated(row[at.output])),
    );
  const show = () => {
    const pages = Math.max(1, Math.ceil(found.length / PAGE));
    page = Math.min(Math.max(page, 0), pages - 1);
    const first = page * PAGE;
    const here = found.slice(first, first + PAGE);
    table.tBodies[0].replaceChildren(...here.map(drawn));
    const range = here.length ? `${first + 1}–${first + here.length} of ${found.length}` : "nothing fits";
    where.textContent = found.length === rows.length ? range : `${range} (${rows.length} in all)`;
    before.disabled = page === 0;
    after.disabled = page === pages - 1;
  };
  const filter = () => {
    const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
    found = rows.filter(({ row, text }) =>
      (!state.value || row[at.state] === state.value) && wanted.every((word) => text.includes(word)));
    page = 0;
    show();
  };
  table.tHead.addEventListener("click", (event) => {
    const head = event.target.closest("th[data-sort]");
    if (!head) return;
    rows = sorted(rows, ({ row }) => row[at[head.dataset.column]], turned(head));
    filter();
  });
  words.addEventListener("input", filter);
  state.addEventListener("change", filter);
  before.addEventListener("click", () => { page -= 1; show(); });
  after.addEventListener("click", () => { page += 1; show(); });
  filter();
})();
