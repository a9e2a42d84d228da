"use strict";
// The browser of utterances of the report page. It reads the data that stand in the page, filters and sorts them, and
// shows the rows that a view asks for. The view is the fragment of the address, so that it can be linked and gone back
// to. All text from the data becomes text nodes; nothing is loaded but the sound files that a reader plays.

(() => {
  const ROWS = 25; // rows added at a time: a page of 100,000 renderings opens as fast as one of 100
  const START = Object.freeze({
    accent: "", condition: "", normalizer: "", words: "", errors: "any", sort: "wer", order: "desc", utterance: "",
  });
  const ERRORS = ["any", "errors", "none", "empty"];
  const LARGEST_FIRST = ["wer", "errors"];
  const SOUND = /^audio\/[\w-][\w.-]*\.flac$/; // the only addresses that a player is given

  const byId = (id) => document.getElementById(id);
  const percent = (share) => `${(100 * share).toFixed(1)}%`;
  const counted = (number, noun) => `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;

  let data = null;
  let view = { ...START };
  let chosen = []; // indices of the trials in the view, in its order
  let shown = 0; // how many of them are rows by now
  let orders = null; // ranks of utterances and speakers by name
  const heard = []; // by normalizer: what each trial adds up to
  const cleanClips = new Map();

  function element(tag, attributes, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...children);
    return made;
  }

  // --- reading the data -------------------------------------------------------------------------------------------

  async function unpacked(text) {
    const read = JSON.parse(text);
    if (!("gzip_base64" in read)) return read;
    const letters = atob(read.gzip_base64);
    const bytes = new Uint8Array(letters.length);
    for (let at = 0; at < letters.length; at += 1) bytes[at] = letters.charCodeAt(at);
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return JSON.parse(await new Response(stream).text());
  }

  const utteranceOf = (trial) => data.utterances[trial[0]];
  function speakerOf(trial) {
    const [, accent, speaker] = utteranceOf(trial);
    if (speaker < 0) return "not known";
    const group = `${data.accents[accent]}/`; // speakers are nested in groups, and the group stands beside them
    const name = data.speakers[speaker];
    return name.startsWith(group) ? name.slice(group.length) : name;
  }
  const referenceOf = (trial, normalizer) => utteranceOf(trial)[4][normalizer] ?? "";
  const wordsOf = (text) => (text === "" ? [] : text.split(" "));

  function tally(outcome, reference) {
    if (outcome === null || outcome === undefined) return null;
    const sum = { s: 0, d: 0, i: 0, words: 0, errors: 0, wer: null, empty: false };
    if (Array.isArray(outcome)) [sum.s, sum.d, sum.i, sum.words] = outcome;
    else {
      for (const edit of outcome.e) sum["?dsi"[edit.length]] += 1; // [i], [i, word], [i, word, 1]
      sum.words = wordsOf(reference).length;
    }
    sum.errors = sum.s + sum.d + sum.i;
    sum.wer = sum.words > 0 ? sum.errors / sum.words : null;
    sum.empty = sum.d === sum.words && sum.i === 0;
    return sum;
  }

  function tallies(normalizer) {
    heard[normalizer] ??= data.trials.map((trial) => ({
      sum: tally(trial[2][normalizer], referenceOf(trial, normalizer)), text: null,
    }));
    return heard[normalizer];
  }

  // Every word of a hypothesis is a word of its reference or of an edit: a search needs no hypothesis.
  function searched(at, normalizer) {
    const entry = tallies(normalizer)[at];
    if (entry.text === null) {
      const trial = data.trials[at];
      const outcome = trial[2][normalizer];
      const edits = outcome !== null && !Array.isArray(outcome) ? outcome.e : [];
      const words = edits.map((edit) => edit[1] ?? "");
      entry.text = [utteranceOf(trial)[0], referenceOf(trial, normalizer), ...words].join(" ").toLowerCase();
    }
    return entry.text;
  }

  function ranks(names) {
    const collator = new Intl.Collator("en", { numeric: true });
    const order = names.map((_, at) => at).sort((a, b) => collator.compare(names[a], names[b]) || a - b);
    const found = new Array(names.length);
    order.forEach((at, rank) => { found[at] = rank; });
    return found;
  }

  // --- the view ---------------------------------------------------------------------------------------------------

  function viewOf(fragment) {
    const asked = new URLSearchParams(fragment.replace(/^#utterances\??/, ""));
    const found = { ...START };
    for (const name of Object.keys(START)) found[name] = asked.get(name) ?? START[name];
    if (!data.accents.includes(found.accent)) found.accent = "";
    if (!data.conditions.includes(found.condition)) found.condition = "";
    if (!data.normalizers.includes(found.normalizer)) found.normalizer = data.normalizers[data.main];
    if (!ERRORS.includes(found.errors)) found.errors = START.errors;
    if (!sortButtons().some((button) => button.dataset.sort === found.sort)) found.sort = START.sort;
    if (!["asc", "desc"].includes(found.order)) found.order = START.order;
    return found;
  }

  function fragmentOf(wanted) {
    const parts = [];
    for (const [name, usual] of Object.entries(START)) {
      const value = wanted[name];
      const isUsual = value === (name === "normalizer" ? data.normalizers[data.main] : usual);
      // an order says nothing without what is sorted
      if (!isUsual || (name === "sort" && wanted.order !== START.order)) parts.push(`${name}=${encodeURIComponent(value)}`);
    }
    return parts.length ? `#utterances?${parts.join("&")}` : "#utterances";
  }

  function matches(at, wanted, terms, normalizer) {
    const trial = data.trials[at];
    const utterance = utteranceOf(trial);
    if (wanted.utterance && utterance[0] !== wanted.utterance) return false;
    if (wanted.accent && data.accents[utterance[1]] !== wanted.accent) return false;
    if (wanted.condition && data.conditions[trial[1]] !== wanted.condition) return false;
    const { sum } = tallies(normalizer)[at];
    if (wanted.errors !== "any") {
      if (sum === null) return false;
      if (wanted.errors === "errors" && sum.errors === 0) return false;
      if (wanted.errors === "none" && sum.errors > 0) return false;
      if (wanted.errors === "empty" && !sum.empty) return false;
    }
    return terms.length === 0 || terms.every((term) => searched(at, normalizer).includes(term));
  }

  function sortValue(at, name, normalizer) {
    const trial = data.trials[at];
    const utterance = utteranceOf(trial);
    const { sum } = tallies(normalizer)[at];
    switch (name) {
      case "utterance": return orders.utterances[trial[0]];
      case "accent": return utterance[1];
      case "speaker": return utterance[2] < 0 ? null : orders.speakers[utterance[2]];
      case "condition": return trial[1];
      case "errors": return sum === null ? null : sum.errors;
      default: return sum === null ? null : sum.wer;
    }
  }

  function found(wanted) {
    const normalizer = data.normalizers.indexOf(wanted.normalizer);
    const terms = wanted.words.toLowerCase().split(/\s+/).filter((term) => term !== "");
    const places = data.trials.map((_, at) => at).filter((at) => matches(at, wanted, terms, normalizer));
    const values = new Array(data.trials.length);
    for (const at of places) values[at] = sortValue(at, wanted.sort, normalizer);
    const sign = wanted.order === "desc" ? -1 : 1;
    const byName = (at) => orders.utterances[data.trials[at][0]];
    return places.sort((a, b) => {
      const left = values[a];
      const right = values[b];
      // without a value: last, whichever way the others are sorted
      if (left === null || right === null) { if (left !== right) return left === null ? 1 : -1; }
      else if (left !== right) return sign * (left - right);
      return byName(a) - byName(b) || data.trials[a][1] - data.trials[b][1];
    });
  }

  // --- rows -------------------------------------------------------------------------------------------------------

  function pair(kind, said, heardWord, spoken) {
    const mark = kind === "hit" ? [] : [element("b", { class: "mark" }, kind[0].toUpperCase())];
    const upper = element("span", { class: "said" }, ...(kind === "insertion" ? mark : [said]));
    const lower = element("span", { class: "heard" });
    if (kind === "hit") lower.append(heardWord);
    else if (kind === "deletion") lower.append(...mark);
    else lower.append(heardWord, ...(kind === "substitution" ? mark : []));
    lower.setAttribute("aria-hidden", "true");
    const made = element("span", { class: kind }, upper, lower);
    if (spoken) {
      upper.setAttribute("aria-hidden", "true");
      made.append(element("span", { class: "unseen" }, ` ${spoken} `));
    }
    return made;
  }

  function alignment(words, edits) {
    const box = element("div", { class: "alignment", dir: "auto" });
    const inserted = new Map();
    const changed = new Map();
    for (const edit of edits) {
      if (edit.length === 3) inserted.set(edit[0], [...(inserted.get(edit[0]) ?? []), edit[1]]);
      else changed.set(edit[0], edit);
    }
    for (let at = 0; at <= words.length; at += 1) {
      for (const word of inserted.get(at) ?? []) box.append(pair("insertion", "", word, `insertion: heard ${word};`));
      if (at === words.length) break;
      const edit = changed.get(at);
      const word = words[at];
      if (edit === undefined) box.append(pair("hit", word, word, ""));
      else if (edit.length === 1) box.append(pair("deletion", word, "", `deletion: reference ${word};`));
      else box.append(pair("substitution", word, edit[1], `substitution: reference ${word}, heard ${edit[1]};`));
    }
    return box;
  }

  function words(trial, normalizer, sum) {
    const outcome = trial[2][normalizer];
    if (sum === null) return element("p", { class: "quiet" }, "not scored");
    if (Array.isArray(outcome)) return unaligned(referenceOf(trial, normalizer));
    const reference = wordsOf(referenceOf(trial, normalizer));
    if (reference.length === 0 && outcome.e.length === 0) return element("p", { class: "quiet" }, "no words");
    const legend = element("div", { class: "lines", "aria-hidden": "true" },
      element("span", {}, "reference"), element("span", {}, "heard"));
    return element("div", { class: "aligned" }, legend, alignment(reference, outcome.e));
  }

  function unaligned(reference) {
    const box = element("div", {}, element("p", { class: "quiet" }, "what was heard is not shown"));
    if (reference !== "") box.prepend(element("p", { dir: "auto" }, reference));
    return box;
  }

  function player(which, name, clip, utterance) {
    const label = `${which === "clean" ? "clean recording" : `under ${name}`}, utterance ${utterance}`;
    const audio = element("audio", { "data-which": which, src: clip, "aria-label": label, preload: "none" });
    return element("div", { class: "player" }, element("span", { "aria-hidden": "true" }, name), audio);
  }

  function players(trial) {
    const [id] = utteranceOf(trial);
    const box = element("div", { class: "players" });
    const clean = cleanClips.get(trial[0]);
    if (clean) box.append(player("clean", data.conditions[data.reference_condition], clean, id));
    if (trial[1] !== data.reference_condition && isSound(trial[3])) {
      box.append(player("degraded", data.conditions[trial[1]], trial[3], id));
    }
    if (box.childElementCount === 0) return [];
    nearby.observe(box);
    return [box];
  }

  // The controls of a player cost more than the rest of a row: only players in sight, or nearly, get them.
  const nearby = new IntersectionObserver((entries) => {
    for (const entry of entries.filter((one) => one.isIntersecting)) {
      for (const audio of entry.target.querySelectorAll("audio")) audio.controls = true;
      nearby.unobserve(entry.target);
    }
  }, { rootMargin: "800px" });

  const isSound = (path) => typeof path === "string" && SOUND.test(path);
  const cell = (label, ...children) => element("td", { role: "cell", "data-label": label }, ...children);

  function row(at, normalizer) {
    const trial = data.trials[at];
    const [id, accent, , duration] = utteranceOf(trial);
    const { sum } = tallies(normalizer)[at];
    const link = element("a", { href: `#utterances?utterance=${encodeURIComponent(id)}`, dir: "auto" }, id);
    const name = element("th", { scope: "row", role: "rowheader" }, link);
    if (duration !== null) name.append(element("span", { class: "line quiet" }, `${duration.toFixed(1)} s`));
    const errors = cell("Errors", sum === null ? "not scored" : String(sum.errors));
    if (sum !== null) {
      for (const line of [`${sum.s} S, ${sum.d} D, ${sum.i} I`, counted(sum.words, "word")]) {
        errors.append(element("span", { class: "line short quiet" }, line));
      }
    }
    const wer = sum === null ? "not scored" : sum.wer === null ? "no words" : percent(sum.wer);
    return element("tr", { role: "row", "data-utterance": id, "data-condition": data.conditions[trial[1]] },
      name,
      cell("Group", element("bdi", {}, data.accents[accent])),
      cell("Speaker", element("bdi", {}, speakerOf(trial))),
      cell("Condition", element("bdi", {}, data.conditions[trial[1]])),
      cell("WER", wer),
      errors,
      cell("Words", words(trial, normalizer, sum), ...players(trial)));
  }

  function addRows() {
    const normalizer = data.normalizers.indexOf(view.normalizer);
    const next = chosen.slice(shown, shown + ROWS).map((at) => row(at, normalizer));
    byId("trials").tBodies[0].append(...next);
    shown += next.length;
    const left = chosen.length - shown;
    const more = byId("more");
    more.hidden = left === 0;
    more.textContent = `Show ${Math.min(left, ROWS)} more of ${left.toLocaleString("en")}`;
    return next;
  }

  // --- what stands around the rows --------------------------------------------------------------------------------

  const sortButtons = () => [...document.querySelectorAll("#trials button[data-sort]")];

  function orderInWords(wanted) {
    const name = sortButtons().find((button) => button.dataset.sort === wanted.sort).textContent;
    const largest = LARGEST_FIRST.includes(wanted.sort);
    const ways = largest ? ["lowest first", "highest first"] : ["first to last", "last to first"];
    return `sorted by ${name}, ${ways[wanted.order === "desc" ? 1 : 0]}`;
  }

  function viewInWords(wanted) {
    const kinds = { errors: "with errors", none: "without errors", empty: "nothing heard" };
    const parts = [
      wanted.utterance && `utterance ${wanted.utterance}`, wanted.accent && `group ${wanted.accent}`,
      wanted.condition && `condition ${wanted.condition}`, wanted.words && `with “${wanted.words}”`, kinds[wanted.errors],
      `normalizer ${wanted.normalizer}`, orderInWords(wanted),
    ];
    return `View: ${parts.filter(Boolean).join("; ")}.`;
  }

  function together() {
    const normalizer = data.normalizers.indexOf(view.normalizer);
    const speakers = new Set();
    let errors = 0;
    let total = 0;
    let unknown = false;
    for (const at of chosen) {
      const { sum } = tallies(normalizer)[at];
      if (sum === null) continue;
      errors += sum.errors;
      total += sum.words;
      const utterance = utteranceOf(data.trials[at]);
      if (utterance[2] < 0) unknown = true;
      else speakers.add(utterance[2]);
    }
    if (total === 0) return "";
    const people = unknown ? "speakers unknown" : counted(speakers.size, "speaker");
    const part = isWhole() ? "Together" : "Together, of those in this page only (the numbers of the card are of all)";
    return `${part}: ${counted(errors, "error")} in ${counted(total, "reference word")}, WER ${percent(errors / total)} (${people}).`;
  }

  const isWhole = () => data.trials.length === data.n_trials;

  function announce() {
    const scored = isWhole() ? "" : ` in this page; ${data.n_trials.toLocaleString("en")} were scored`;
    byId("count").textContent =
      `${chosen.length.toLocaleString("en")} of ${counted(data.trials.length, "rendering")}${scored}`;
    byId("together").textContent = together();
    byId("view").textContent = viewInWords(view);
    byId("only").hidden = view.utterance === "";
    byId("only-name").textContent = view.utterance;
    byId("utterances").classList.toggle("chosen", fragmentOf(view) !== "#utterances");
    for (const button of sortButtons()) {
      const head = button.closest("th");
      if (button.dataset.sort !== view.sort) head.removeAttribute("aria-sort");
      else head.setAttribute("aria-sort", view.order === "desc" ? "descending" : "ascending");
    }
  }

  function show(wanted) {
    view = wanted;
    chosen = found(view);
    shown = 0;
    nearby.disconnect();
    byId("trials").tBodies[0].replaceChildren();
    addRows();
    announce();
  }

  function fillForm(wanted) {
    const fields = byId("filters").elements;
    for (const name of ["accent", "condition", "normalizer", "words", "errors"]) fields.namedItem(name).value = wanted[name];
  }

  function change(changes) {
    show({ ...view, ...changes });
    history.replaceState(null, "", fragmentOf(view));
  }

  function restore({ move }) {
    const fragment = location.hash;
    if (fragment !== "" && !/^#utterances($|\?)/.test(fragment)) return; // another part of the page
    const wanted = viewOf(fragment);
    fillForm(wanted);
    show(wanted);
    if (!move || fragment === "") return;
    byId("utterances").scrollIntoView();
    byId("utterances-title").focus({ preventScroll: true });
  }

  function addOptions(name, values) {
    const select = byId("filters").elements.namedItem(name);
    select.append(...values.map((value) => element("option", { value }, value)));
  }

  // --- starting ---------------------------------------------------------------------------------------------------

  function listen() {
    const form = byId("filters");
    const fields = form.elements;
    const read = () => Object.fromEntries(
      ["accent", "condition", "normalizer", "words", "errors"].map((name) => [name, fields.namedItem(name).value]));
    form.addEventListener("input", () => change(read()));
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("reset", (event) => {
      event.preventDefault(); // the first normalizer is the main one: set by us, not by the browser
      fillForm(viewOf(""));
      change(viewOf(""));
    });
    for (const button of sortButtons()) button.addEventListener("click", () => sortBy(button.dataset.sort));
    byId("all-utterances").addEventListener("click", () => { change({ utterance: "" }); byId("utterances-title").focus(); });
    byId("more").addEventListener("click", () => {
      const [first] = addRows();
      if (byId("more").hidden) first.querySelector("a").focus();
    });
    window.addEventListener("hashchange", () => restore({ move: true }));
    // "play" does not bubble: one player at a time
    document.addEventListener("play", (event) => {
      for (const audio of document.querySelectorAll("audio")) if (audio !== event.target) audio.pause();
    }, true);
  }

  function sortBy(name) {
    const usual = LARGEST_FIRST.includes(name) ? "desc" : "asc";
    const other = usual === "desc" ? "asc" : "desc";
    change({ sort: name, order: view.sort === name && view.order === usual ? other : usual });
  }

  async function start() {
    const island = byId("island");
    if (island === null) return;
    data = await unpacked(island.textContent);
    byId("notes").append(...data.notes.map((note) => element("li", { dir: "auto" }, note)));
    if (data.trials.length === 0) return;
    orders = { utterances: ranks(data.utterances.map((utterance) => utterance[0])), speakers: ranks(data.speakers) };
    for (const trial of data.trials) {
      if (trial[1] === data.reference_condition && isSound(trial[3])) cleanClips.set(trial[0], trial[3]);
    }
    if (data.trials.some((trial) => isSound(trial[3]))) byId("words-head").textContent = "Words and sound";
    addOptions("accent", data.accents);
    addOptions("condition", data.conditions);
    addOptions("normalizer", data.normalizers);
    byId("browser").hidden = false;
    listen();
    view = viewOf("");
    fillForm(view);
    if (/^#utterances\?/.test(location.hash)) restore({ move: true });
    else show(view);
  }

  // What is folded is opened for print, and folded again.
  function openForPrint() {
    let opened = [];
    window.addEventListener("beforeprint", () => {
      opened = [...document.querySelectorAll("details:not([open])")];
      for (const one of opened) one.open = true;
    });
    window.addEventListener("afterprint", () => { for (const one of opened) one.open = false; });
  }

  openForPrint();
  start().catch((error) => {
    byId("broken").hidden = false;
    byId("broken").append(` (${error.message})`);
  });
})();
