// What stands around the rows, what a reader does with them, and the start of it all.

// --- what stands around the rows --------------------------------------------------------------------------------

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
