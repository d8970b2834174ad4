"use strict";
(() => {
  const root = document.getElementById("explorer"), box = document.getElementById("explorer-data");
  if (!root || !box) return;
  const all = JSON.parse(box.textContent), { human, social } = all;
  const part = (name) => root.querySelector(`[data-part="${name}"]`);
  const input = (name) => root.querySelector(`[name="${name}"]`);
  const make = (tag, text = "", look = "") => Object.assign(document.createElement(tag), { textContent: text, className: look });
  const CORNERS = ["LL", "HL", "LH", "HH"], PICKS = ["form", "scope", "level", "group"];
  const SLIDERS = { human: human, social: social, human_low: human, human_high: human, social_low: social, social_high: social };

  // ---- draws: unpacked as compute.py packed them, (surface, draw, human, social), on the link scale
  const H = human.nodes.length, S = social.nodes.length;
  let whole;
  const unpack = async () => {
    const bytes = Uint8Array.from(atob(all.data), (c) => c.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    const planes = new Uint8Array(await new Response(stream).arrayBuffer()), size = planes.length / 2;
    whole = new Uint16Array(size);
    for (let k = 0; k < size; k++) {
      whole[k] = planes[k] + 256 * planes[size + k];
      if (k % S) whole[k] += whole[k - 1];
    }
    for (let k = 0; k < size; k++) if (k % (H * S) >= S) whole[k] += whole[k - S];
  };
  const erfc = (z) => {
    if (z < 2.5) {
      let term = z, sum = z;
      for (let n = 1; term > 1e-18; n++) sum += term *= (2 * z * z) / (2 * n + 1);
      return 1 - (2 / Math.sqrt(Math.PI)) * Math.exp(-z * z) * sum;
    }
    let rest = z;
    for (let n = 80; n > 0; n--) rest = z + n / 2 / rest;
    return Math.exp(-z * z) / Math.sqrt(Math.PI) / rest;
  };
  const FROM = {
    logit: (x) => 1 / (1 + Math.exp(-x)),
    probit: (x) => (x < 0 ? erfc(-x / Math.SQRT2) / 2 : 1 - erfc(x / Math.SQRT2) / 2),
    logarithmic: Math.exp,
    outcome: (x) => x,
  };
  const near = (share) => Math.min(Math.max(share, 1e-6), 1 - 1e-6);
  const at = (k, h, s) => {  // p the outcome, g where it lies on the scale on which claims are judged
    const { offset, step } = all.surfaces[k], { link, ends, bounded } = all.levels[all.surfaces[k].level], g = [], p = [];
    const [low, high] = bounded ? [0, 1] : ends, narrower = link === "logit" && bounded && ends[1] < 1;
    for (let d = 0; d < all.draws; d++) {
      g.push(offset + step * whole[((k * all.draws + d) * H + h) * S + s]);
      p.push(low + (high - low) * FROM[link](g[d]));
      if (narrower) g[d] = -Math.log(1 / near((p[d] - ends[0]) / (ends[1] - ends[0])) - 1);
    }
    return { g, p };
  };
  const mean = (values) => values.reduce((sum, value) => sum + Number(value), 0) / values.length;
  const summary = (values) => {
    const sorted = [...values].sort((a, b) => a - b), middle = mean(values), n = values.length;
    const quantile = (share) => {
      const place = (n - 1) * share, k = Math.floor(place);
      return sorted[k] + (place - k) * (sorted[Math.min(k + 1, n - 1)] - sorted[k]);
    };
    const tail = (1 - all.interval) / 2, square = values.reduce((sum, value) => sum + (value - middle) ** 2, 0);
    return { mean: middle, sd: Math.sqrt(square / (n - 1)), low: quantile(tail), high: quantile(1 - tail) };
  };

  // ---- verdicts: the rules of verdicts/regions.py and decide.py; a test holds them equal
  const PARTS = {
    ratio: [["other", "both"], (q, t) => q.other <= t.ratio * q.both],
    kappa: [["neither", "other", "both"], (q, t) => q.covers <= t.kappa],
    eps: [["other"], (q, t) => q.other <= t.eps],
    theta_not: [["own"], (q, t) => q.own <= t.theta_not],
    delta: [["own", "both"], (q, t) => q.both - q.own >= t.delta],
    theta: [["own"], (q, t) => q.own >= t.theta],
    reached: [["both"], (q, t) => q.both >= t.theta],
    missed: [["neither"], (q, t) => q.neither < t.theta],
    margin: [["neither", "own", "other", "both"], (q, t) => q.both - q.own - q.other + q.neither > t.margin],
    link: [["neither", "own", "other", "both"], (q) => q.cross > q.rounding],
  };
  const needed = ["ratio", "kappa", "eps"], short = ["theta_not", "delta"];
  const REGIONS = {
    necessary: needed, not_sufficient: short, necessary_not_sufficient: [...needed, ...short],
    sufficient: ["theta", "missed"], joint_sufficiency: ["reached", "missed"], complementarity: ["margin", "link"],
  };
  const cutoff = { reached: "theta", missed: "theta" };
  const key = { necessary_not_sufficient: short, complementarity: ["margin"] };  // no region without one of these
  const judge = (claim, now) => {
    const { level, t } = now, turned = claim.capital === "social_capital";
    const corner = { neither: "LL", own: turned ? "LH" : "HL", other: turned ? "HL" : "LH", both: "HH" };
    const names = REGIONS[claim.kind].filter((name) => name === "link" ? level.link !== "outcome" : t[cutoff[name] || name] !== null);
    const lacks = (places) => places.some((place) => {
      const k = CORNERS.indexOf(corner[place]), behind = all.surfaces[now.surface].behind;
      const rare = place === "other" && t.eps && needed.some((name) => names.includes(name)) && level.bounded && t.min_support;
      const least = rare ? Math.max(t.min_support, 3 / t.eps) : t.min_support;
      return now.firms[k] < least || (behind.length > 0 && behind[k] < least);
    });
    const assessed = /necessary|not_sufficient/.test(claim.kind);
    if (!names.some((name) => (key[claim.kind] || names).includes(name)) || (assessed && t.assess === null)) return null;
    const thin = names.map((name) => lacks(PARTS[name][0])), thinHere = assessed && lacks(level.bounded ? ["both"] : ["neither", "both"]);
    const count = { region: 0, assessable: 0, open: 0, outcome: 0 };
    for (let d = 0; d < all.draws; d++) {
      const p = {}, g = {};
      for (const place in corner) [p[place], g[place]] = [now.corners[corner[place]].p[d], now.corners[corner[place]].g[d]];
      const span = g.both - g.neither, covers = span >= level.least_span ? (g.other - g.neither) / span : NaN;
      const q = { ...p, covers, cross: g.both - g.own - g.other + g.neither, rounding: 2 * all.surfaces[now.surface].step };
      const met = names.map((name) => PARTS[name][1](q, t));
      let here = !assessed || (level.bounded ? p.both >= t.assess : p.both - p.neither >= t.assess);
      if (assessed && needed.includes(names[0])) here = here && (span >= level.least_span || !met[0]);
      const judged = here || thinHere;
      count.region += here && met.every(Boolean);
      count.assessable += judged;
      count.open += judged && met.every((one, k) => one || thin[k]);
      count.outcome += names[0] === "margin" && met[0];
    }
    const share = (name) => count[name] / all.draws, unsupported = thinHere || thin.some(Boolean);
    const given = count.assessable ? Math.min(count.open / count.assessable, 1) : 1, low = 1 - t.level + 1e-12;
    const stopped = all.stopped[claim.kind] || all.stopped.all, found = { probability: share("region") };
    const say = (verdict, reason = "") => ({ ...found, verdict, reason });
    if (stopped) return say("undecided", stopped);
    if (share("region") >= t.level && !unsupported) return say("supported");
    if (share("assessable") <= low) return say("not assessable", "Both capitals together bring about too little.");
    if (share("outcome") >= t.level && !unsupported) return say("scale-dependent", "The link function alone would give it.");
    if (given <= low) return claim.withheld ? say("undecided", claim.withheld) : say("rejected");
    if (unsupported) return say("not assessable", "Too few firms near a corner that it rests on.");
    return say("undecided");
  };

  // ---- numbers as words.py writes them
  const decimals = (spread, digits = 2) => spread > 0 && isFinite(spread) ? Math.min(Math.max(digits - 1 - Math.floor(Math.log10(spread)), 0), 6) : 3;
  const fixed = (value, places) => {
    const text = Math.abs(value).toFixed(places), [left, right] = text.split(".");
    return (value < 0 && Number(text) ? "−" : "") + left.replace(/\B(?=(\d{3})+$)/g, ",") + (right ? `.${right}` : "");
  };
  const written = (found, level) => {
    const unit = level.unit, places = decimals(found.sd * unit.factor), each = (value) => fixed(value * unit.factor, places);
    return { mean: each(found.mean) + unit.level, low: each(found.low), high: each(found.high) };
  };
  const bracketed = (text) => `${text.mean} [${text.low}, ${text.high}]`;
  const probability = (share) => share > 0.999 ? ">0.999" : share < 0.001 ? "<0.001" : share.toFixed(3);
  const error = (share) => {
    const smooth = (share * all.draws + 1) / (all.draws + 2), found = Math.sqrt((smooth * (1 - smooth)) / all.draws);
    return fixed(found, decimals(found, 1));
  };
  const place = (axis, k) => `${fixed(axis.nodes[k], 2)} ${axis.unit}` + (axis.amounts.length ? ` (${axis.amounts[k]})` : "");

  // ---- the page
  const brief = (value) => value === null ? "" : String(Number(value.toPrecision(4)));
  const matches = (choice) => all.surfaces.findIndex((one) => PICKS.every((name) => String(one[name]) === choice[name]));
  const read = () => {
    const choice = Object.fromEntries(PICKS.map((name) => [name, input(name).value])), k = matches(choice), level = all.levels[Number(choice.level)];
    const node = Object.fromEntries(Object.keys(SLIDERS).map((name) => [name, Number(input(name).value)]));
    const t = Object.fromEntries(all.cutoffs.map(({ name }) => {
      const typed = input(`cut_${name}`).value, declared = level.cutoffs[name];
      return [name, typed === brief(declared) ? declared : typed === "" ? null : Number(typed)];
    }));
    t.level = t.level > 0.5 && t.level < 1 ? t.level : level.cutoffs.level;
    t.min_support ??= 0;
    const group = all.groups[Number(choice.group)], corners = {}, firms = [];
    for (const name of CORNERS) {
      const h = name[0] === "H" ? node.human_high : node.human_low, s = name[1] === "H" ? node.social_high : node.social_low;
      corners[name] = at(k, h, s);
      firms.push(group.firms[h * S + s]);
    }
    return { choice, surface: k, level, node, t, group, corners, firms, here: at(k, node.human, node.social) };
  };
  const offer = () => PICKS.forEach((name) => {
    const choice = Object.fromEntries(PICKS.map((each) => [each, input(each).value]));
    for (const option of input(name).options) option.disabled = matches({ ...choice, [name]: option.value }) < 0;
  });
  const row = (...cells) => {
    const line = make("tr");
    cells.forEach((cell, k) => {
      const made = make(k ? "td" : "th", "", k === 1 ? "number" : "");
      if (!k) made.scope = "row";
      made.append(...[cell].flat());
      line.append(made);
    });
    return line;
  };
  const show = () => {
    const now = read(), found = written(summary(now.here.p), now.level);
    const around = now.group.firms[now.node.human * S + now.node.social];
    for (const name in SLIDERS) {
      const text = place(SLIDERS[name], now.node[name]);
      input(name).setAttribute("aria-valuetext", text);
      input(name).previousElementSibling.textContent = text;
    }
    part("value").textContent = bracketed(found);
    part("sentence").textContent = `${now.group.label}: with human capital at ${place(human, now.node.human)} and social capital at ` +
      `${place(social, now.node.social)}, ${now.level.label} is ${found.mean}, 90% interval ${found.low} to ${found.high}; ` +
      `effective number of firms near: ${fixed(around, 1)}.`;
    const four = CORNERS.map((name, k) => ({ name: all.corners[k], firms: now.firms[k], ...summary(now.corners[name].p) }));
    part("corners").replaceChildren(...four.map((one) => row(one.name, bracketed(written(one, now.level)), fixed(one.firms, 1))));
    part("claims").replaceChildren(...all.claims.map((claim) => [claim, judge(claim, now)]).filter(([, one]) => one).map(([claim, one]) => {
      const pill = make("span", "", `pill ${one.verdict.replaceAll(" ", "-")}`);
      pill.append(Object.assign(make("span", all.icons[one.verdict]), { ariaHidden: "true" }), ` ${all.verdicts[one.verdict]}`);
      return row(claim.title, [probability(one.probability), make("small", `± ${error(one.probability)}`)], one.reason ? [pill, make("small", one.reason)] : pill);
    }));
    draw(now, four);
  };
  const edges = (nodes) => nodes.map((node, k) => [k ? (nodes[k - 1] + node) / 2 : node, k < nodes.length - 1 ? (node + nodes[k + 1]) / 2 : node]);
  const draw = (now, four) => {
    const unit = now.level.unit, [across, up] = [edges(human.nodes), edges(social.nodes)], cells = [];
    for (let h = 0; h < H; h++) for (let s = 0; s < S; s++) cells.push({
      x1: across[h][0], x2: across[h][1], y1: up[s][0], y2: up[s][1], mean: unit.factor * mean(at(now.surface, h, s).p), few: now.group.firms[h * S + s] < now.t.min_support,
    });
    const box = { x1: "x1", x2: "x2", y1: "y1", y2: "y2" }, { node } = now, width = Math.min(root.clientWidth || 320, 460);
    const corners = [node.human_low, node.human_high].flatMap((h) => [node.social_low, node.social_high].map((s) => [human.nodes[h], social.nodes[s]]));
    const title = now.level.label + (unit.level && ` (${unit.level.trim()})`), means = cells.map((cell) => cell.mean);
    const steps = decimals((Math.max(...means) - Math.min(...means)) / 10, 1), style = { background: "none", color: "var(--ink)", fontSize: "12px" };
    part("surface").replaceChildren(Plot.plot({
      width, height: width * 0.86, style, marginLeft: 46, marginBottom: 40,
      x: { label: human.label }, y: { label: social.label },
      color: { type: "quantize", n: 10, range: [..."0123456789"].map((k) => `var(--ramp-${k})`), label: title, legend: true, tickFormat: (value) => fixed(value, steps), width: Math.min(width, 400) },
      marks: [
        Plot.rect(cells, { ...box, fill: "mean" }),
        Plot.rect(cells.filter((cell) => cell.few), { ...box, fill: "var(--paper)", fillOpacity: 0.55 }),
        Plot.dot(corners, { symbol: "square", r: 4.5, stroke: "var(--ink)", fill: "var(--card)" }),
        Plot.dot([[human.nodes[node.human], social.nodes[node.social]]], { r: 6, stroke: "var(--card)", strokeWidth: 2, fill: "var(--second)" }),
      ],
    }));
    const bars = four.map((one) => ({ name: one.name, mean: one.mean * unit.factor, low: one.low * unit.factor, high: one.high * unit.factor }));
    part("dots").replaceChildren(Plot.plot({
      width, height: 180, style, marginLeft: 128, marginRight: 20, marginBottom: 42,
      x: { label: title, grid: true, ...(now.level.bounded && { domain: [0, unit.factor] }) },
      y: { type: "point", domain: all.corners, label: null, padding: 0.6 },
      marks: [
        Plot.ruleY(bars, { y: "name", x1: "low", x2: "high", stroke: "var(--first)", strokeWidth: 3 }),
        Plot.dot(bars, { x: "mean", y: "name", r: 5.5, fill: "var(--first)", stroke: "var(--card)" }),
      ],
    }));
  };
  const restore = () => {
    const { cutoffs } = all.levels[Number(input("level").value)];
    for (const { name } of all.cutoffs) input(`cut_${name}`).value = brief(cutoffs[name]);
  };
  const apart = (moved) => {  // low stays below high
    for (const axis of ["human", "social"]) {
      const low = input(`${axis}_low`), high = input(`${axis}_high`);
      if (Number(low.value) < Number(high.value)) continue;
      if (moved === low) low.value = Number(high.value) - 1;
      else high.value = Number(low.value) + 1;
    }
  };
  const start = () => {
    const labels = { form: all.forms, scope: all.scopes, level: all.levels.map((one) => one.label), group: all.groups.map((one) => `${one.label} (n = ${fixed(one.rows, 0)})`) };
    for (const name of PICKS) {
      const values = name === "scope" ? Object.keys(all.scopes) : Object.keys(labels[name]);
      input(name).append(...values.map((value) => Object.assign(make("option", labels[name][value]), { value })));
      input(name).closest("label").hidden = values.length < 2;
    }
    const begin = () => {
      for (const name in SLIDERS) input(name).max = SLIDERS[name].nodes.length - 1;
      for (const [name, axis] of [["human", human], ["social", social]]) {
        [input(name).value, input(`${name}_low`).value, input(`${name}_high`).value] = [axis.high, axis.low, axis.high];
      }
      restore();
      show();
    };
    root.addEventListener("input", (event) => {
      if (event.target.name === "level") restore();
      apart(event.target);
      offer();
      show();
    });
    part("reset").addEventListener("click", begin);
    root.hidden = false;
    offer();
    begin();
  };
  unpack().then(start, (failure) => {
    root.before(make("p", `This browser cannot unpack the draws of the explorer: ${failure.message}. All else on this page can be read without it.`, "note"));
  });
})();
