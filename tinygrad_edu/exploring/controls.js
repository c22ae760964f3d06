"use strict";
// What a reader changes numbers by: sliders, options, and pixels to paint. Dots are in handles.js.
// Each makes an element, and `show`, which shows what `get()` gives. `change(values, done)` is called
// with new values, and whether the reader has let go.
const controls = (() => {
  const POSITIONS = 200; // of a logarithmic slider

  function slider({name, low, high, step, log, unit}, get, change) {
    const id = `control-${name}`;
    const range = made("input", {type: "range", min: 0, max: log ? POSITIONS : Math.round((high - low) / step), "aria-label": `${name}, slider`});
    const typed = made("input", {id, type: "text", inputmode: "text", spellcheck: "false", "aria-describedby": `${id}-note`});
    const note = made("p", {id: `${id}-note`, class: "complaint", role: "alert"});
    const slidTo = () => (log ? low * (high / low) ** (range.value / range.max) : low + range.value * step);
    const slid = (done) => change([numbers.rounded(slidTo(), 6, low, high)], done);
    range.addEventListener("input", () => slid(false));
    range.addEventListener("change", () => slid(true));
    typed.addEventListener("change", () => {
      const x = numbers.read(typed.value);
      if (x !== null && x >= low && x <= high) return change([x], true);
      const complaint = x === null ? numbers.misread(typed.value) : `${JSON.stringify(typed.value)} is not from ${low} to ${high}.`;
      show(`${complaint} It is still ${get()[0]}.`);
    });

    function show(complaint = "") {
      const [x] = get();
      range.value = log ? Math.round((Math.log(x / low) / Math.log(high / low)) * range.max) : Math.round((x - low) / step);
      range.setAttribute("aria-valuetext", `${x} ${unit}`.trim());
      typed.value = String(x);
      typed.setAttribute("aria-invalid", String(complaint !== ""));
      note.textContent = complaint;
    }

    const value = made("span", {class: "typed"}, typed, unit);
    return {element: made("div", {class: "field"}, made("label", {for: id}, name), value, range, note), show};
  }

  function choice({name, options}, get, change) {
    const radios = options.map((_, i) => {
      const radio = made("input", {type: "radio", name, value: i});
      radio.addEventListener("change", () => change([i], true));
      return radio;
    });
    const labels = options.map((option, i) => made("label", {}, radios[i], made("span", {}, option)));
    const element = made("fieldset", {}, made("legend", {}, name), made("div", {class: "options"}, ...labels));
    return {element, show: () => radios.forEach((radio, i) => { radio.checked = i === get()[0]; })};
  }

  function points({name, shape}) {
    const [dots, them] = shape[0] > 1 ? ["dots", "them"] : ["dot", "it"];
    const element = made("p", {class: "help"}, `Drag the ${dots} of ${name}; or reach ${them} by Tab, and move ${them} by the arrow keys.`);
    return {element, show: () => {}};
  }

  function pixels({name, shape, low, high}, get, change) {
    const [rows, columns] = shape;
    const cells = Array.from({length: rows * columns}, () => made("div"));
    const grid = made("div", {
      class: "pixels", tabindex: 0, role: "application", "aria-roledescription": "drawing",
      "aria-label": `${name}: ${rows} rows of ${columns} pixels. Arrow keys move, Space paints.`,
    }, ...cells);
    grid.style.gridTemplate = `repeat(${rows}, 1fr) / repeat(${columns}, 1fr)`;
    grid.style.aspectRatio = `${columns} / ${rows}`;
    const erase = made("button", {type: "button", "aria-pressed": "false"}, "Erase");
    const clear = made("button", {type: "button"}, "Clear");
    let here = 0;
    const erasing = () => erase.getAttribute("aria-pressed") === "true";

    // Paint as a soft pen: its neighbours get a third of it.
    function paint(i, done) {
      const values = [...get()];
      const [row, column] = [Math.floor(i / columns), i % columns];
      const put = (r, c, share) => {
        if (r < 0 || c < 0 || r >= rows || c >= columns) return;
        const k = r * columns + c;
        const painted = numbers.rounded(low + share * (high - low), 6, low, high);
        if (!erasing()) values[k] = Math.max(values[k], painted);
        else if (share === 1) values[k] = low;
      };
      put(row, column, 1);
      for (const [r, c] of [[row - 1, column], [row + 1, column], [row, column - 1], [row, column + 1]]) put(r, c, 0.3);
      change(values, done);
    }

    function under(event) {
      const i = cells.indexOf(document.elementFromPoint(event.clientX, event.clientY));
      if (i >= 0) paint(i, false);
    }

    grid.addEventListener("pointerdown", (event) => {
      grid.setPointerCapture(event.pointerId);
      under(event);
    });
    grid.addEventListener("pointermove", (event) => { if (grid.hasPointerCapture(event.pointerId)) under(event); });
    grid.addEventListener("pointerup", () => change(get(), true));
    grid.addEventListener("keydown", (event) => {
      const moves = {ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns};
      if (event.key === " ") paint(here, true);
      else if (event.key in moves) {
        const next = here + moves[event.key];
        const sameRow = Math.floor(next / columns) === Math.floor(here / columns);
        if (next >= 0 && next < cells.length && (Math.abs(moves[event.key]) > 1 || sameRow)) here = next;
        mark();
      } else return;
      event.preventDefault();
    });
    erase.addEventListener("click", () => erase.setAttribute("aria-pressed", String(!erasing())));
    clear.addEventListener("click", () => change(cells.map(() => low), true));

    function mark() {
      cells.forEach((cell, i) => cell.classList.toggle("here", i === here));
    }

    function show() {
      const values = get();
      cells.forEach((cell, i) => {
        const share = (values[i] - low) / (high - low);
        cell.style.background = `color-mix(in srgb, var(--ink) ${(100 * share).toFixed(0)}%, var(--paper))`;
      });
    }

    mark();
    return {element: made("fieldset", {}, made("legend", {}, name), grid, made("div", {class: "buttons"}, erase, clear)), show};
  }

  const KINDS = {slider, choice, points, pixels};
  return {made: (control, get, change) => KINDS[control.kind](control, get, change)};
})();
