// The rows of the renderings in the view: their words side by side, and their sound.

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
