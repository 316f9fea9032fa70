"use strict";
(() => {
  const root = document.getElementById("ordinaut");

  const copy = async (text, button) => {
    const label = button.textContent;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const area = Object.assign(document.createElement("textarea"), { value: text });
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
    button.textContent = "copied";
    setTimeout(() => { button.textContent = label; }, 1500);
  };

  const offerCopy = (element) => {
    const button = Object.assign(document.createElement("button"), { type: "button", className: "copy", textContent: "copy" });
    const text = element.textContent.trim();
    button.setAttribute("aria-label", `copy: ${text.split("\n")[0].slice(0, 60)}`);
    button.addEventListener("click", () => copy(text, button));
    element.after(button);
    return button;
  };
  // A command has an argument; a word in the face of code is none.
  const isCommand = (code) => !code.closest("pre") && /^\S+\s+\S/.test(code.textContent);
  root.querySelectorAll(".prose pre").forEach(offerCopy);
  const summary = root.querySelector("#summary");
  if (summary) {
    const button = offerCopy(summary);
    button.textContent = "copy incident summary";
    button.removeAttribute("aria-label");
    summary.closest(".summary").append(button);
  }
  [...root.querySelectorAll(".prose li code")].filter(isCommand).forEach(offerCopy);

  const filter = root.querySelector(".choose");
  const cards = [...root.querySelectorAll(".alert")];
  const pressed = (kind) => [...filter.querySelectorAll(`[aria-pressed=true][data-${kind}]`)].map((b) => b.dataset[kind]);
  const apply = () => {
    const severities = pressed("severity");
    const states = pressed("state");
    const filtering = severities.length + states.length > 0;
    for (const card of cards) {
      const fits = (wanted, value) => wanted.length === 0 || wanted.includes(value);
      card.hidden = !(fits(severities, card.dataset.severity) && fits(states, card.dataset.state));
      for (let fold = card.closest("details"); filtering && !card.hidden && fold; fold = fold.parentElement.closest("details")) fold.open = true;
    }
    for (const group of root.querySelectorAll(".group, .followers, .quiet")) {
      group.hidden = [...group.querySelectorAll(".alert")].every((card) => card.hidden);
    }
    const shown = cards.filter((card) => !card.hidden).length;
    filter.querySelector("[role=status]").textContent = filtering ? `${shown} of ${cards.length} alerts are shown` : "";
  };
  filter.addEventListener("click", ({ target }) => {
    if (!(target instanceof HTMLButtonElement)) return;
    target.setAttribute("aria-pressed", String(target.getAttribute("aria-pressed") !== "true"));
    apply();
  });
  filter.hidden = cards.length < 2;

  // On paper nothing can be unfolded.
  let unfolded = [];
  addEventListener("beforeprint", () => {
    unfolded = [...root.querySelectorAll(".cause:not([open]), .followers:not([open])")];
    unfolded.forEach((fold) => { fold.open = true; });
  });
  addEventListener("afterprint", () => unfolded.forEach((fold) => { fold.open = false; }));
})();
