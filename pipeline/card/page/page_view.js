// A view: which renderings, in which order. It is the fragment of the address, so that it can be linked and gone back to.

const sortButtons = () => [...document.querySelectorAll("#trials button[data-sort]")];

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
