"use strict";
// What a reader changes numbers by: sliders, options, and pixels to paint. Dots are in handles.js.
// Each makes an element, and `show`, which shows what `get()` gives. `change(values, done)` is called
// with new values, and whether the reader has let go. What else there is to forget, `reset` forgets.
const controls = (() => {
  const POSITIONS = 200; // of a logarithmic slider

  function slider({name, low, high, step, log, unit}, get, change) {
    const [id, noted] = [`control-${name}`, `note-${name}`];
    const last = log ? POSITIONS : Math.ceil((high - low) / step - 1e-9);
    const range = made("input", {type: "range", min: 0, max: last, "aria-label": `${name}, slider`});
    const typed = made("input", {id, type: "text", inputmode: "text", spellcheck: "false", "aria-describedby": noted});
    const note = made("p", {id: noted, class: "complaint", role: "alert"});
    const digits = log ? 1 + Math.ceil(-Math.log10((high / low) ** (1 / last) - 1)) : 12;
    const inside = (k) => numbers.rounded(log ? low * (high / low) ** (k / last) : low + k * step, Math.max(digits, 2), low, high);
    const slidTo = (k) => (k === 0 ? low : k === last ? high : inside(k));
    const slid = (done) => change([slidTo(Number(range.value))], done);
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
      range.value = log ? Math.round((Math.log(x / low) / Math.log(high / low)) * last) : Math.round((x - low) / step);
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

  function points({name, shape}, get) {
    const [dots, them] = shape[0] > 1 ? ["dots", "them"] : ["dot", "it"];
    const help = `Drag the ${dots} in the plot; or reach ${them} by Tab, and move ${them} by the arrow keys.`;
    const where = made("p", {class: "help"});
    const element = made("fieldset", {}, made("legend", {}, name), where, made("p", {class: "help"}, help));

    function show() {
      const texts = get().map(String);
      const pairs = texts.filter((_, i) => i % 2 === 0).map((x, i) => `(${x}, ${texts[2 * i + 1]})`);
      where.textContent = (shape.length > 1 ? pairs : texts).join(", ");
    }

    return {element, show};
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
    function dab(values, i) {
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
    }

    // Paint from where the pen was to where it is, for a quick hand is told of seldom.
    let pen = null;
    function stroke({clientX: x, clientY: y}) {
      const values = [...get()];
      const from = pen ?? {x, y};
      const half = grid.clientWidth / columns / 2;
      const count = Math.ceil(Math.hypot(x - from.x, y - from.y) / half) || 1;
      for (let k = 1; k <= count; k += 1) {
        const at = [from.x + ((x - from.x) * k) / count, from.y + ((y - from.y) * k) / count];
        const i = cells.indexOf(document.elementFromPoint(...at));
        if (i >= 0) dab(values, i);
      }
      pen = {x, y};
      change(values, false);
    }

    function paint(i) {
      const values = [...get()];
      dab(values, i);
      change(values, true);
    }

    grid.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      grid.setPointerCapture(event.pointerId);
      pen = null;
      stroke(event);
    });
    grid.addEventListener("pointermove", (event) => { if (grid.hasPointerCapture(event.pointerId)) stroke(event); });
    grid.addEventListener("pointerup", () => change(get(), true));
    grid.addEventListener("keydown", (event) => {
      const moves = {ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns};
      if (event.key === " ") paint(here);
      else if (event.key in moves) {
        const next = here + moves[event.key];
        const sameRow = Math.floor(next / columns) === Math.floor(here / columns);
        if (next >= 0 && next < cells.length && (Math.abs(moves[event.key]) > 1 || sameRow)) here = next;
        mark();
      } else return;
      event.preventDefault();
    });
    const draw = () => erase.setAttribute("aria-pressed", "false");
    erase.addEventListener("click", () => erase.setAttribute("aria-pressed", String(!erasing())));
    clear.addEventListener("click", () => {
      draw();
      change(cells.map(() => low), true);
    });

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
    return {element: made("fieldset", {}, made("legend", {}, name), grid, made("div", {class: "buttons"}, erase, clear)), show, reset: draw};
  }

  const KINDS = {slider, choice, points, pixels};
  return {made: (control, get, change) => KINDS[control.kind](control, get, change)};
})();
