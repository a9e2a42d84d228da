// Of the script of the report page, first: what it knows, and what it reads from the data that stand in the page.
// The parts are put together by page.py, inside one function. All text from the data becomes text nodes; nothing is
// loaded but the sound files that a reader plays.

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
