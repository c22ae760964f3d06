"use strict";
// The box that asks what a step gives, before that is shown.
const guessing = (precision, show) => {
  const [box, list, button] = ["ask", "guesses", "show"].map((id) => document.getElementById(id));
  let asked = []; // of each result, what it is called, how it is written, and the field for a guess

  function ask(results) {
    asked = results.map(([target, words]) => {
      const line = made("label", {}, `${target} = `);
      if (numbers.read(words) === null) {
        line.append("?");
        return {target, words, line};
      }
      const guess = made("input", {autocomplete: "off", placeholder: "?"});
      line.append(guess);
      return {target, words, line, guess};
    });
    list.replaceChildren(...asked.map((each) => each.line));
    button.hidden = false;
    box.hidden = false;
  }

  // How near the guesses were, when the results are shown.
  function judge() {
    const verdicts = asked.filter(({guess}) => guess?.value.trim()).map(({target, words, guess}) => {
      return made("p", {}, `${target}: ${verdict(guess.value, words)}`);
    });
    list.replaceChildren(...verdicts);
    button.hidden = true;
    box.hidden = verdicts.length === 0;
  }

  function verdict(guess, words) {
    const x = numbers.read(guess);
    if (x === null) return `${JSON.stringify(guess)} is no number`;
    if (numbers.number(x, precision) === words) return `${guess} is right`;
    const apart = x - numbers.read(words);
    return `${guess} is too ${apart < 0 ? "small" : "large"}, by ${numbers.number(Math.abs(apart), precision)}`;
  }

  button.addEventListener("click", show);
  list.addEventListener("keydown", (event) => {
    if (event.key === "Enter") show();
  });
  return {ask, judge, close: () => { box.hidden = true; }};
};
