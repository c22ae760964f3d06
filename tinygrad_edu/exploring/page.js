"use strict";
// The page of ``explore``: the numbers that a reader has set, what follows from them, and the address.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const [form, shown, refusal, list, figures, spoken] = [
    "controls", "shown", "refusal", "numbers", "plots", "spoken",
  ].map((id) => document.getElementById(id));
  const inputs = data.controls.filter((control) => control.kind !== "choice");
  const choices = data.controls.filter((control) => control.kind === "choice");
  const state = new Map(); // the numbers of each control by its name; of a choice, which option it is
  const written = (x, dtype = "f8") => numbers.values([x], [], dtype, data.precision);
  const get = (name) => state.get(name);
  const handles = handling(inputs, get, change, written);
  const plots = plotting(written, handles.place);
  const fields = new Map(data.controls.map((control) => {
    const {name} = control;
    return [name, controls.made(control, () => get(name), (values, done) => change(name, values, done))];
  }));
  let charts = [];
  let current = -1; // which of the views is shown: there is one for each choice of options
  let results = []; // of its program
  let frame = 0; // that was asked for
  let isDone = false; // whether the reader has let go

  function first(control) {
    return control.kind === "choice" ? [0] : [...control.first];
  }

  function put(name, values) {
    state.set(name, values);
    fields.get(name).show();
  }

  // The reader has set numbers, and, if `done`, will not change them further at once.
  function change(name, values, done) {
    put(name, values);
    schedule(done);
  }

  // What follows is computed once a frame; the address and the voice follow when the reader lets go.
  function schedule(done) {
    isDone ||= done;
    if (frame === 0) frame = requestAnimationFrame(() => {
      frame = 0;
      compute();
      if (isDone) {
        remember();
        speak();
      }
      isDone = false;
    });
  }

  function compute() {
    const chosen = choices.reduce((index, {name, options}) => index * options.length + get(name)[0], 0);
    const found = programs[chosen](inputs.flatMap(({name}) => get(name)));
    const isRefused = typeof found === "string";
    shown.classList.toggle("refused", isRefused);
    refusal.hidden = !isRefused;
    if (isRefused) {
      refusal.textContent = found;
      return;
    }
    results = found.map(Number);
    if (chosen !== current) rebuild(data.views[chosen]);
    current = chosen;
    show(data.views[chosen]);
  }

  // What stands in a slot: of what follows, or of what never changes.
  function numbersIn([begin, end]) {
    return end === undefined ? data.constants[begin].map(Number) : results.slice(begin, end);
  }

  // The marks of a plot with their numbers, by what they are.
  function filled(plot) {
    return plot.marks.map((mark) => ({
      ...mark,
      arrays: Object.fromEntries(Object.entries(mark.slots).map(([part, slot]) => [part, numbersIn(slot)])),
    }));
  }

  function show(view) {
    view.numbers.forEach(([, slot, dtype], i) => {
      const cell = list.children[i].lastChild;
      const [x] = numbersIn(slot);
      cell.textContent = written(x, dtype);
      cell.dataset.value = x;
    });
    for (const chart of charts) plots.update(chart, filled(chart.plot));
  }

  // Make a place for all that a view shows. A plot that stays the same is kept.
  function rebuild(view) {
    list.replaceChildren(...view.numbers.map(([name]) => made("div", {}, made("dt", {}, name), made("dd"))));
    const before = charts;
    charts = view.plots.map((plot, i) => {
      const isSame = i < before.length && JSON.stringify(before[i].plot) === JSON.stringify(plot);
      return isSame ? before[i] : plots.chart(plot);
    });
    for (const chart of before) if (!charts.includes(chart)) chart.u.destroy();
    figures.replaceChildren(...charts.map((chart) => chart.figure));
  }

  function speak() {
    const words = data.views[current]?.numbers.map(([name, slot, dtype]) => `${name} ${written(numbersIn(slot)[0], dtype)}`) ?? [];
    spoken.textContent = refusal.hidden ? words.join(", ") : refusal.textContent;
  }

  // The address: what differs from the beginning, by name.

  function remember() {
    const changed = data.controls.filter((control) => String(get(control.name)) !== String(first(control)));
    const parts = changed.map(({name, kind, options}) => {
      const words = kind === "choice" ? options[get(name)[0]] : get(name).join(",");
      return `${encodeURIComponent(name)}=${encodeURIComponent(words).replaceAll("%2C", ",")}`;
    });
    const hash = parts.length ? `#${parts.join("&")}` : "";
    try {
      if (hash !== location.hash) history.replaceState(null, "", hash || location.pathname + location.search);
    } catch {
      // A page inside another page has no address of its own.
    }
  }

  function recall() {
    const told = new URLSearchParams(location.hash.slice(1).replaceAll("+", "%2B"));
    for (const control of data.controls) {
      const text = told.get(control.name);
      put(control.name, (text !== null && parsed(control, text)) || first(control));
    }
  }

  // The numbers of a control that a part of an address says, or null.
  function parsed(control, text) {
    if (control.kind === "choice") {
      const i = control.options.indexOf(text);
      return i < 0 ? null : [i];
    }
    const values = text.split(",").map(numbers.read);
    const [lows, highs] = [[control.low].flat(), [control.high].flat()];
    const isBetween = (x, i) => x !== null && x >= lows[i % lows.length] && x <= highs[i % lows.length];
    return values.length === control.first.length && values.every(isBetween) ? values : null;
  }

  const reset = made("button", {type: "button"}, "Reset");
  reset.addEventListener("click", () => {
    for (const control of data.controls) {
      fields.get(control.name).reset?.();
      put(control.name, first(control));
    }
    schedule(true);
  });
  form.append(...[...fields.values()].map((field) => field.element), made("div", {class: "buttons"}, reset));
  addEventListener("hashchange", () => { recall(); schedule(true); });
  // A page around this one may give it the height that it needs.
  const tell = () => parent.postMessage({tinygrad_edu: {height: Math.ceil(document.body.getBoundingClientRect().height)}}, "*");
  if (parent !== window) new ResizeObserver(tell).observe(document.body);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => charts.forEach((chart) => chart.u.redraw()));
  new ResizeObserver(() => charts.forEach(plots.resize)).observe(shown);
  recall();
  compute();
})();
