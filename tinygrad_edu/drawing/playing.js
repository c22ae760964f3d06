"use strict";
// The numbers that a reader has changed, and all words of a page that follow from them.
// `data` is what playing.py has found, `program` computes it, and `changed(done)` is told of changes.
const playing = (data, program, changed) => {
  const SLOT = /([\ue000\ue001])(\d+)\ue002/g; // of a number: as it is, or in brackets if it has a sign
  const NEEDED = /^\ue000(\d+)\ue002/; // before a note: whether it holds
  const button = document.getElementById("reset");
  const starts = [0];
  for (const [shape] of data.slots) starts.push(starts.at(-1) + shape.reduce((count, n) => count * n, 1));
  let results = null; // of the program; null while all numbers are those of Python
  let known = new Map(); // their texts

  const first = data.fields.map((field) => field.first.map(Number));
  const all = data.fields.flatMap((leaf, i) => first[i].map((start, j) => {
    const name = leaf.names[j];
    const round = (x) => (leaf.dtype === "f4" ? Math.fround(x) : x);
    return {name, start, round, now: start};
  }));
  for (const each of all) {
    each.field = fields.field(each.name, each.start, (x, done) => {
      each.now = each.round(x);
      compute();
      changed(done);
    });
    document.getElementById("fields").append(each.field.element);
  }

  // Compute all anew.
  function compute() {
    const isChanged = all.some((each) => !Object.is(each.now, each.start));
    results = isChanged ? program(all.map((each) => each.now)) : null;
    known = new Map();
    button.disabled = !isChanged;
  }

  function text(slot) {
    if (!known.has(slot)) {
      const [shape, dtype] = data.slots[slot];
      const row = results.slice(starts[slot], starts[slot + 1]);
      known.set(slot, numbers.values(row, shape, dtype, data.precision));
    }
    return known.get(slot);
  }

  function worded(words) {
    return words.replace(SLOT, (_, kind, slot) => {
      const found = text(Number(slot));
      return kind === "\ue001" && found.startsWith("-") ? `(${found})` : found;
    });
  }

  const holds = (note) => !NEEDED.test(note) || results[starts[note.match(NEEDED)[1]]];

  // The words of a step. All that is given below is null while the numbers are those of Python.
  function told(i) {
    return results && {
      title: worded(data.steps[i].title),
      derivations: data.steps[i].derivations.map(({target, expressions, notes}) => ({
        target,
        expressions: [...new Set(expressions.map(worded))],
        notes: notes.filter(holds).map((note) => worded(note.replace(NEEDED, ""))),
      })),
    };
  }

  const texts = (byNode, write) => results
    && Object.fromEntries(Object.entries(byNode).map(([node, each]) => [node, write(each)]));

  function set(wanted) {
    all.forEach((each, i) => {
      each.now = each.round(wanted[i]);
      each.field.set(wanted[i]);
    });
    compute();
  }

  function reset() {
    set(all.map((each) => each.start));
  }

  // What comes after the number of the step in the address: &w=0.5&x[1]=-2
  function address() {
    return all.filter((each) => !Object.is(each.now, each.start))
      .map((each) => `&${encodeURIComponent(each.name).replace(/%(5B|5D|2C)/g, decodeURIComponent)}=${each.field.value}`).join("");
  }

  // Take the numbers from the parts of an address. What is not known there is left out.
  function take(parts) {
    const wanted = new Map();
    for (const part of parts) {
      const end = part.lastIndexOf("=");
      try {
        const x = numbers.read(decodeURIComponent(part.slice(end + 1)));
        if (x !== null) wanted.set(decodeURIComponent(part.slice(0, end)), x);
      } catch {
        // It is no address that this page has written.
      }
    }
    set(all.map((each) => wanted.get(each.name) ?? each.start));
  }

  button.addEventListener("click", () => {
    reset();
    changed(true);
  });
  button.disabled = true;
  if (data.fixed.length) {
    document.getElementById("fixed").textContent = `Chosen once, by the first numbers: ${data.fixed.join(", ")}.`;
  }
  const isNarrow = matchMedia("(max-width: 50rem)");
  const openOrNot = () => { document.getElementById("change").open = !isNarrow.matches; };
  isNarrow.addEventListener("change", openOrNot); // a frame gets its width late
  openOrNot();
  document.getElementById("numbers").hidden = false;
  return {
    told,
    labels: () => texts(data.labels, (words) => `\u00a0= ${worded(words)}`),
    values: () => texts(data.values, text),
    gradients: (i) => texts(data.gradients[i], (slot) => `grad ${text(slot)}`),
    address,
    take,
  };
};
