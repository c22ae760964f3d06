"use strict";
// Numbers that a reader can change: each a label, a slider, and a text to type.
const fields = (() => {
  const POSITIONS = 100; // of a slider, on each side of 0
  let count = 0;

  // 1, 2 or 5 times a power of ten: the first that is not below a positive number.
  function bound(x) {
    const power = Math.floor(Math.log10(x));
    const found = [`1e${power}`, `2e${power}`, `5e${power}`, `1e${power + 1}`].map(Number).find((each) => each >= x);
    return Number.isFinite(found) ? found : Number.MAX_VALUE;
  }

  // `change(x, done)` is called with a new number, and whether the reader has let go of it.
  function field(name, first, change) {
    const id = `field-${count++}`;
    const label = made("label", {for: id, title: name}, name);
    const slider = made("input", {type: "range", min: -POSITIONS, max: POSITIONS, "aria-label": `${name}, slider`});
    const typed = made("input", {
      id, type: "text", inputmode: "text", autocomplete: "off", spellcheck: "false", "aria-describedby": `${id}-note`,
    });
    const note = made("p", {id: `${id}-note`, class: "complaint", role: "alert"});
    const element = made("div", {class: "field"}, label, slider, typed, note);
    let value = first;
    let end = Number.isFinite(first) && first !== 0 ? bound(2 * Math.abs(first)) : 1;

    function written(x) {
      return Number.isNaN(x) ? "nan" : String(x).replace("Infinity", "inf");
    }

    function set(x) {
      value = x;
      if (Number.isFinite(x) && Math.abs(x) > end) end = bound(Math.abs(x));
      slider.value = Number.isFinite(x) ? Math.round((x / end) * POSITIONS) : 0;
      slider.setAttribute("aria-valuetext", written(x));
      typed.value = written(x);
      complain("");
    }

    function complain(words) {
      note.textContent = words;
      typed.setAttribute("aria-invalid", String(words !== ""));
    }

    function take(x, done) {
      set(x);
      change(x, done);
    }

    const slid = (done) => take(Number(((slider.value / POSITIONS) * end).toPrecision(6)), done);
    slider.addEventListener("input", () => slid(false));
    slider.addEventListener("change", () => slid(true));
    typed.addEventListener("change", () => {
      const x = numbers.read(typed.value);
      if (x !== null) take(x, true);
      else complain(`${numbers.misread(typed.value)} It is still ${written(value)}.`);
    });
    set(first);
    return {element, set, get value() { return value; }};
  }

  return {field};
})();
