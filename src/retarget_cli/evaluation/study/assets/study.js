"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const place = `retarget-study-${data.study}`;
  const at = (name) => document.getElementById(name);
  const screens = ["start", "ask", "end"];
  const show = (name) => screens.forEach((each) => { at(each).hidden = each !== name; });
  const DESIGNS = {
    pairs: { question: "Which looks more real?", answers: [["left", "Left", "ArrowLeft"], ["right", "Right", "ArrowRight"]],
             keys: "Keys: \u2190 left, \u2192 right, space plays again." },
    single: { question: "Does this look real?", answers: [["yes", "Yes", "y"], ["no", "No", "n"]],
              keys: "Keys: Y yes, N no, space plays again." },
  };

  // What was answered outlives a reload.
  const load = () => {
    let found = null;
    try { found = JSON.parse(localStorage.getItem(place)); } catch (error) { /* nothing that can be read */ }
    // Without a prototype: a person may be called "constructor".
    return { last: found?.last ?? "", people: Object.assign(Object.create(null), found?.people) };
  };
  const kept = load();
  const keep = () => {
    try { localStorage.setItem(place, JSON.stringify(kept)); } catch (error) { /* a browser that keeps nothing: the file still can be saved */ }
  };

  // Orders and sides depend on the study's seed and the person's name alone, so that a reload asks the same.
  const chance = (text) => {
    let state = 2166136261;
    for (const letter of text) state = Math.imul(state ^ letter.codePointAt(0), 16777619);
    return () => {
      state = (state + 0x6d2b79f5) | 0;
      let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
      mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
    };
  };
  const shuffled = (items, next) => {
    const found = [...items];
    for (let last = found.length - 1; last > 0; last -= 1) {
      const other = Math.floor(next() * (last + 1));
      [found[last], found[other]] = [found[other], found[last]];
    }
    return found;
  };
  const planned = (participant) => {
    const next = chance(`${data.seed} ${participant}`);
    // Single films come first: side by side, the real one shows what to look for.
    const groups = ["single", "pairs"].map((design) => shuffled(data.items.filter((item) => item.design === design), next));
    if (data.perPerson !== null) {
      const first = Math.min(groups[0].length, groups[1].length ? Math.ceil(data.perPerson / 2) : data.perPerson);
      const second = Math.min(groups[1].length, data.perPerson - first);
      groups[0] = groups[0].slice(0, data.perPerson - second);
      groups[1] = groups[1].slice(0, second);
    }
    return groups.flat().map((item) => ({ ...item, films: next() < 0.5 ? item.films : [...item.films].reverse() }));
  };

  let participant = "", plan = [], since = 0, replays = 0;
  const answered = () => kept.people[participant].answers;
  const current = () => plan[answered().length];

  const play = () => {
    for (const film of at("stage").children) { film.currentTime = 0; film.play().catch(() => {}); }
  };
  const ask = () => {
    const item = current();
    if (!item) { finish(); return; }
    const design = DESIGNS[item.design];
    show("ask");
    at("question").textContent = design.question;
    document.title = design.question;
    at("keys").textContent = `${answered().length + 1} of ${plan.length}. ${design.keys}`;
    document.querySelector(".bar i").style.width = `${100 * answered().length / plan.length}%`;
    at("stage").replaceChildren(...item.films.map((name) => {
      const film = document.createElement("video");
      film.src = data.films[name];
      film.muted = true; film.loop = true; film.playsInline = true;
      return film;
    }));
    at("answers").replaceChildren(...design.answers.map(([answer, label]) => {
      const button = document.createElement("button");
      button.type = "button"; button.textContent = label;
      button.addEventListener("click", () => give(answer));
      return button;
    }));
    since = performance.now(); replays = 0;
    at("question").focus();
    play();
  };
  const give = (answer) => {
    const item = current();
    const [left, right] = item.films;
    answered().push([data.study, participant, item.design, answered().length + 1, item.name, left, right || "", answer,
                     ((performance.now() - since) / 1000).toFixed(2), replays, new Date().toISOString()]);
    keep();
    ask();
  };
  const cell = (value) => {
    const text = String(value);
    return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const finish = () => {
    show("end");
    document.title = "Thank you";
    offer(at("save"));
    at("save").focus();
  };
  const offer = (link) => {
    const rows = [data.columns, ...answered()].map((row) => row.map(cell).join(","));
    URL.revokeObjectURL(link.href);
    link.href = URL.createObjectURL(new Blob([`${rows.join("\r\n")}\r\n`], { type: "text/csv" }));
    link.download = `study-${data.study}-${participant.replace(/[^\p{L}\p{N}_-]/gu, "_")}.csv`;
  };
  const begin = (name) => {
    participant = name;
    // The page may stand open twice: what the other one kept since counts too.
    Object.assign(kept.people, load().people);
    kept.people[participant] ??= { answers: [] };
    kept.last = participant;
    keep();
    plan = planned(participant);
    ask();
  };

  at("begin").addEventListener("submit", (event) => {
    event.preventDefault();
    const name = at("participant").value.trim();
    if (name) begin(name);
  });
  // Who has to stop early can save what there is.
  at("pause").addEventListener("click", () => offer(at("pause")));
  at("again").addEventListener("click", () => {
    kept.last = "";
    keep();
    at("participant").value = "";
    show("start");
    at("participant").focus();
  });
  document.addEventListener("keydown", (event) => {
    if (at("ask").hidden || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === " ") { event.preventDefault(); replays += 1; play(); return; }
    const found = DESIGNS[current().design].answers.find(([, , key]) => key.toLowerCase() === event.key.toLowerCase());
    if (found) { event.preventDefault(); give(found[0]); }
  });
  if (kept.last in kept.people) begin(kept.last); else at("participant").focus();
})();
