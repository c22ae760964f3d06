"use strict";
// Numbers that a reader can change: each a label, a slider, and a text to type.
const fields = (() => {
  const POSITIONS = 100; // of a slider, on each side of 0
  const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
  let count = 0;

  // The number that a text says, or null.
  function read(text) {
    const plain = text.trim().replace("\u2212", "-");
    const x = Number(plain);
    return NUMBER.test(plain) && Number.isFinite(x) ? x : null;
  }

  // 1, 2 or 5 times a power of ten: the first that is not below a positive number.
  function bound(x) {
    const power = Math.floor(Math.log10(x));
    const found = [`1e${power}`, `2e${power}`, `5e${power}`, `1e${power + 1}`].map(Number).find((each) => each >= x);
    return Number.isFinite(found) ? found : Number.MAX_VALUE;
  }

  function made(kind, attributes) {
    const element = document.createElement(kind);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    return element;
  }

  // `change(x, done)` is called with a new number, and whether the reader has let go of it. It gives
  // what is wrong with it, if something is: then the number stays as it was.
  function field(name, first, change) {
    const id = `field-${count++}`;
    const element = made("div", {class: "field"});
    const label = made("label", {for: id, title: name});
    const slider = made("input", {type: "range", min: -POSITIONS, max: POSITIONS, "aria-label": `${name}, slider`});
    const typed = made("input", {
      id, type: "text", inputmode: "text", autocomplete: "off", spellcheck: "false", "aria-describedby": `${id}-note`,
    });
    const note = made("p", {id: `${id}-note`, class: "complaint", role: "alert"});
    label.textContent = name;
    element.append(label, slider, typed, note);
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
      const before = value;
      set(x);
      const wrong = change(x, done);
      if (!wrong) return;
      set(before);
      complain(wrong);
    }

    const slid = (done) => take(Number(((slider.value / POSITIONS) * end).toPrecision(6)), done);
    slider.addEventListener("input", () => slid(false));
    slider.addEventListener("change", () => slid(true));
    typed.addEventListener("change", () => {
      const x = read(typed.value);
      if (x !== null) take(x, true);
      else complain(`${JSON.stringify(typed.value)} is no number here; write it as 0.5, -2 or 1e-3. It is still ${written(value)}.`);
    });
    set(first);
    return {element, set, get value() { return value; }};
  }

  return {field, read};
})();
