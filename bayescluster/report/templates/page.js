"use strict";
(() => {
  const open = () => {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    for (let place = target; place; place = place.parentElement) if (place.tagName === "DETAILS") place.open = true;
    if (target) target.scrollIntoView();
  };
  addEventListener("hashchange", open);
  if (location.hash) open();
  const find = document.getElementById("find"), found = document.getElementById("found");
  if (!find) return;
  const sections = [...document.querySelectorAll("#appendix > details")];
  const texts = sections.map((section) => section.textContent.toLowerCase());
  find.addEventListener("input", () => {
    const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    sections.forEach((section, k) => {
      const hit = words.every((word) => texts[k].includes(word));
      section.hidden = !hit;
      section.open = hit && words.length > 0;
      count += hit;
    });
    found.textContent = words.length ? `${count} of ${sections.length} sections` : "";
  });
})();
